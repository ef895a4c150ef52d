// Curves of numbers over their index, as a picture and as text.
#pragma once

#include <string>
#include <vector>

namespace squall {

struct PlotLine {
  std::string name;
  std::vector<double> values;  // what is not finite is left out
};

// A complete SVG document with axes and a legend.
std::string plot_svg(const std::vector<PlotLine>& curves, const std::string& title);
// Lines of text: the first curve is drawn with *, then +, o, x, #.
std::string plot_text(const std::vector<PlotLine>& curves, int columns, int rows);

}  // namespace squall
