// PyTorch's attention and transformers.
#include "conformance/torch_modules.hpp"

namespace squall::conformance {

void add_attention_modules(TorchTable&) {}

}  // namespace squall::conformance
