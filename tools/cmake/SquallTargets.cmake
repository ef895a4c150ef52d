# One module per folder: a static library with its own include root, so that an upward include does not compile.

add_library(squall_warnings INTERFACE)
target_compile_options(squall_warnings INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual>)
if(SQUALL_WERROR)
  target_compile_options(squall_warnings INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()

add_library(squall_sanitizers INTERFACE)
if(SQUALL_SANITIZE STREQUAL "address")
  target_compile_options(squall_sanitizers INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(squall_sanitizers INTERFACE -fsanitize=address,undefined)
elseif(SQUALL_SANITIZE STREQUAL "thread")
  target_compile_options(squall_sanitizers INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(squall_sanitizers INTERFACE -fsanitize=thread)
endif()

# squall_add_module(name DEPENDS core ... PRIVATE lib ... EXTRA file ...): every src/**.cpp of the folder is in it.
function(squall_add_module name)
  cmake_parse_arguments(ARG "" "" "DEPENDS;PUBLIC;PRIVATE;EXTRA" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/src/*.cpp)
  list(FILTER sources EXCLUDE REGEX "/main_[a-z]+\\.cpp$|/isa/|/src/cuda/")
  if(NOT sources)
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/none.cpp "")
    set(sources ${CMAKE_CURRENT_BINARY_DIR}/none.cpp)
  endif()
  set(target squall_${name})
  add_library(${target} STATIC ${sources} ${ARG_EXTRA})
  add_library(squall::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} POSITION_INDEPENDENT_CODE ON
    CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  foreach(dep ${ARG_DEPENDS})
    target_link_libraries(${target} PUBLIC squall_${dep})
  endforeach()
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE} $<BUILD_INTERFACE:squall_warnings>)
  target_link_libraries(${target} PUBLIC $<BUILD_INTERFACE:squall_sanitizers>)
  set_property(GLOBAL APPEND PROPERTY SQUALL_MODULES ${target})
  set_property(GLOBAL APPEND PROPERTY SQUALL_INCLUDES ${CMAKE_CURRENT_SOURCE_DIR}/include)
endfunction()

# squall_generate_registry(target FUNCTION f FOLDER sub): writes a source that calls register_X(catalog) for every
# src/sub/X.cpp, so that adding a file is all it takes to add a type. A wrong name is a link error.
function(squall_generate_registry target)
  cmake_parse_arguments(ARG "" "FUNCTION;HEADER" "FOLDERS" ${ARGN})
  set(declarations "")
  set(calls "")
  foreach(folder ${ARG_FOLDERS})
    file(GLOB files CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${folder}/*.cpp)
    foreach(file ${files})
      get_filename_component(stem ${file} NAME_WE)
      string(APPEND declarations "void register_${stem}(Catalog&);\n")
      string(APPEND calls "  register_${stem}(catalog);\n")
    endforeach()
  endforeach()
  set(out ${CMAKE_CURRENT_BINARY_DIR}/${ARG_FUNCTION}.cpp)
  file(CONFIGURE OUTPUT ${out} CONTENT
"#include \"${ARG_HEADER}\"

namespace squall {

${declarations}
void ${ARG_FUNCTION}([[maybe_unused]] Catalog& catalog) {
${calls}}

}  // namespace squall
" @ONLY)
  target_sources(${target} PRIVATE ${out})
endfunction()

# Every module, and a package that find_package(squall CONFIG) finds. squall::squall is all of it but
# squall::testing, in the installed package as in a project that uses add_subdirectory.
function(squall_install)
  include(CMakePackageConfigHelpers)
  set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/squall)
  get_property(modules GLOBAL PROPERTY SQUALL_MODULES)
  get_property(includes GLOBAL PROPERTY SQUALL_INCLUDES)

  add_library(squall_all INTERFACE)
  add_library(squall::squall ALIAS squall_all)
  set_target_properties(squall_all PROPERTIES EXPORT_NAME squall)
  set(library ${modules})
  list(REMOVE_ITEM library squall_testing)
  target_link_libraries(squall_all INTERFACE ${library})

  install(TARGETS ${modules} squall_all EXPORT squallTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
  foreach(include ${includes})
    install(DIRECTORY ${include}/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
  endforeach()

  install(EXPORT squallTargets NAMESPACE squall:: DESTINATION ${package_dir})
  configure_package_config_file(${PROJECT_SOURCE_DIR}/tools/cmake/squallConfig.cmake.in
    ${PROJECT_BINARY_DIR}/squallConfig.cmake INSTALL_DESTINATION ${package_dir})
  write_basic_package_version_file(${PROJECT_BINARY_DIR}/squallConfigVersion.cmake COMPATIBILITY SameMajorVersion)
  install(FILES ${PROJECT_BINARY_DIR}/squallConfig.cmake ${PROJECT_BINARY_DIR}/squallConfigVersion.cmake
    DESTINATION ${package_dir})
endfunction()
