// A bar of characters that are earned by progress.
//
//   ProgressBarText bar(100);
//   std::cout << '[';
//   for (Index i = 1; i <= 100; ++i) std::cout << bar.advance(i);
//   std::cout << "] Took: " << elapsed_text(seconds) << '\n';
#pragma once

#include <string>
#include <string_view>

#include "squall/core/dtype.hpp"
#include "squall/core/shape.hpp"

namespace squall {

class ProgressBarText {
 public:
  static constexpr std::string_view kDefault = "====1====2====3====4====5====6====7====8====9====0";
  // Throws ConfigError when `maximum` is not above 0 or the bar is empty.
  explicit ProgressBarText(double maximum, std::string bar = std::string(kDefault));

  // Takes the progress so far (not what was added) and gives the characters that are new. Going back gives none, and
  // going beyond the maximum no more than the whole.
  std::string advance(double progress);
  bool full() const { return earned_ == bar_.size(); }
  // All that was earned, and `rest` for what was not.
  std::string text(char rest = ' ') const;

 private:
  double maximum_;
  std::string bar_;
  std::size_t earned_ = 0;
};

// 3723.54 is "1:02:03.5".
std::string elapsed_text(double seconds);

}  // namespace squall
