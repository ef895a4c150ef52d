// A bar of characters that are earned by progress.
#include "squall/training/progress_bar.hpp"

#include "squall/core/error.hpp"
#include "support/catch.hpp"

using namespace squall;

TEST_CASE("a progress bar gives each character once when it is earned") {
  ProgressBarText bar(10, "1234567890");
  CHECK(bar.advance(0).empty());
  for (int i = 1; i <= 10; ++i) {
    CHECK_FALSE(bar.full());
    CHECK(bar.advance(i) == std::to_string(i % 10));
    CHECK(bar.advance(i).empty());
  }
  CHECK(bar.full());
  CHECK(bar.advance(11).empty());
}

TEST_CASE("ten steps of a progress bar are five characters each") {
  ProgressBarText bar(10);
  std::string all = "[";
  for (int i = 1; i <= 10; ++i) {
    const std::string earned = bar.advance(i);
    CHECK(earned == "====" + std::to_string(i % 10));
    all += earned;
  }
  CHECK(all == "[====1====2====3====4====5====6====7====8====9====0");
}

TEST_CASE("progress may jump and go back and beyond the end") {
  ProgressBarText bar(7, "abcde");
  CHECK(bar.advance(3) == "ab");
  CHECK(bar.advance(1).empty());
  CHECK(bar.text('.') == "ab...");
  CHECK(bar.advance(100) == "cde");
  CHECK(bar.text() == "abcde");
  ProgressBarText long_one(1000, "xyz");
  std::string all;
  for (int i = 0; i <= 1000; ++i) all += long_one.advance(i);
  CHECK(all == "xyz");
  CHECK_THROWS_AS(ProgressBarText(0), ConfigError);
  CHECK_THROWS_AS(ProgressBarText(3, ""), ConfigError);
}

TEST_CASE("elapsed time is told in hours and minutes and tenths of seconds") {
  CHECK(elapsed_text(0) == "0:00:00.0");
  CHECK(elapsed_text(3723.59) == "1:02:03.5");
  CHECK(elapsed_text(59.99) == "0:00:59.9");
  CHECK(elapsed_text(360000) == "100:00:00.0");
}
