# Installs the build into a new folder and builds the project in consumer/ against it, as its user would; then
# configures the same project with the sources as a subfolder.
# Variables: SOURCE, BUILD, SCRATCH, GENERATOR, C_COMPILER, CXX_COMPILER, CONFIG, LINK_FLAGS.
cmake_minimum_required(VERSION 3.25)

function(run what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT code EQUAL 0)
    message(FATAL_ERROR "${what}: failed\n${output}")
  endif()
  message(STATUS "${what}: done")
  set(output "${output}" PARENT_SCOPE)
endfunction()

set(prefix ${SCRATCH}/prefix)
set(project ${SOURCE}/tests/house/consumer)
set(common -G ${GENERATOR} -DCMAKE_BUILD_TYPE=${CONFIG} -DCMAKE_C_COMPILER=${C_COMPILER}
  -DCMAKE_CXX_COMPILER=${CXX_COMPILER} "-DCMAKE_EXE_LINKER_FLAGS=${LINK_FLAGS}")
file(REMOVE_RECURSE ${SCRATCH})

run("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
run("configure against the package" ${CMAKE_COMMAND} -S ${project} -B ${SCRATCH}/build ${common}
  -DCMAKE_PREFIX_PATH=${prefix} -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF)
run("build against the package" ${CMAKE_COMMAND} --build ${SCRATCH}/build)
foreach(program consumer consumer_of_all)
  run("run ${program}" ${SCRATCH}/build/${program})
  if(NOT output STREQUAL "(2, 2) 58 64 139 154\n")
    message(FATAL_ERROR "${program} printed \"${output}\" instead of \"(2, 2) 58 64 139 154\"")
  endif()
endforeach()

# The package must stand on its own: nothing in it may point back into the folders it was built from.
file(GLOB_RECURSE package_files ${prefix}/*.cmake)
foreach(file ${package_files})
  file(READ ${file} text)
  foreach(folder ${SOURCE} ${BUILD} ${SCRATCH})
    string(FIND "${text}" "${folder}/" place)
    if(NOT place EQUAL -1)
      message(FATAL_ERROR "${file} names ${folder}")
    endif()
  endforeach()
endforeach()

run("configure with the sources" ${CMAKE_COMMAND} -S ${project} -B ${SCRATCH}/subfolder ${common}
  -DSQUALL_SOURCE=${SOURCE})
file(REMOVE_RECURSE ${SCRATCH})
