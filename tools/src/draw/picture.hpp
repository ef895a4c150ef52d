// What a picture of a network shows, apart from how it is written down.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "squall/core/network.hpp"

namespace squall::draw {

struct Box {
  std::string name, type;
  std::vector<std::string> lines;                       // shapes, parameters
  std::vector<std::string> tasks;                       // tasks that run through it
  std::vector<std::pair<std::string, double>> density;  // per task, of masked weights
  int rank = 0;                                         // distance from Input
  double x = 0, y = 0, width = 0, height = 0;
};

struct Edge {
  int from = 0, to = 0;
  std::string label;  // the shape that flows
  std::vector<std::string> tasks;
};

struct Picture {
  std::vector<Box> boxes;
  std::vector<Edge> edges;
  std::vector<std::string> tasks;  // all, in order; the index chooses the colour
  double width = 0, height = 0;
};

Picture make_picture(const Network& network);
std::string colour(const Picture& picture, const std::string& task);  // "#rrggbb"
std::string escape(const std::string& text);                          // for XML and DOT labels

}  // namespace squall::draw
