// The node that stands where several outputs are connected to one input: joins along the last axis.
#pragma once

#include "squall/core/contexts.hpp"
#include "squall/core/ops/linalg.hpp"

namespace squall {

class Join final : public LayerOf<Join, NoOptions> {
 public:
  static constexpr std::string_view kType = "Join";
  std::vector<std::string> paths;  // of the sources, for messages

  void declare(Declare& d) override;
  void forward(Forward& f) const override;
  void backward(Backward& b) const override;

 private:
  std::vector<In> in_;
  std::vector<Index> widths_;
  Out out_;
};

}  // namespace squall
