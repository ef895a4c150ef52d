#include "h5/h5_image.hpp"

#include <cstring>

#include "squall/core/error.hpp"

namespace squall::h5 {

namespace {

// HDF5 asks for buffers to copy the image into; it always gets the image itself, which is never written.
void* give_image(std::size_t, H5FD_file_image_op_t, void* image) { return image; }
void* skip_copy(void* to, const void* from, std::size_t size, H5FD_file_image_op_t, void*) {
  return to == from ? to : std::memcpy(to, from, size);
}
void* refuse_growth(void*, std::size_t, H5FD_file_image_op_t, void*) { return nullptr; }
herr_t keep(void*, H5FD_file_image_op_t, void*) { return 0; }
void* same(void* image) { return image; }
herr_t keep_user_data(void*) { return 0; }

}  // namespace

Handle open_image(ByteView image, std::string_view name) {
  const Handle access = own(H5Pcreate(H5P_FILE_ACCESS), H5Pclose, name, "make", "access list");
  H5Pset_fapl_core(access.get(), std::size_t{1} << 20, false);
  H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG);
  void* data = const_cast<std::byte*>(image.data());
  H5FD_file_image_callbacks_t callbacks{give_image, skip_copy, refuse_growth, keep, same, keep_user_data, data};
  check(H5Pset_file_image_callbacks(access.get(), &callbacks), name, "read", "/");
  check(H5Pset_file_image(access.get(), data, image.size()), name, "read", "/");
  // HDF5 takes files in memory of the same name for the same file.
  const std::string label = concat(name, " at ", data);
  return own(H5Fopen(label.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose, name, "open as HDF5", "/");
}

}  // namespace squall::h5
