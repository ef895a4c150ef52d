#include "squall/io/csv.hpp"

#include <charconv>
#include <cmath>
#include <optional>

#include "squall/core/error.hpp"
#include "squall/io/atomic_file.hpp"

namespace squall {

namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

std::optional<double> number(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

class CsvParser {
 public:
  CsvParser(std::string_view text, const std::string& name) : text_(text), name_(name) {
    if (text_.starts_with("\xEF\xBB\xBF")) text_.remove_prefix(3);  // a byte order mark
  }

  Table parse() {
    std::size_t columns = 0;
    for (std::string_view line; next_line(line);) {
      if (trimmed(line).empty()) continue;
      if (columns == 0) separator_ = separator_of(line);
      const std::vector<std::string> cells = split(line);
      if (columns == 0) {
        columns = cells.size();
        if (take_as_header(cells)) continue;
      }
      if (cells.size() != columns)
        fail(concat("has ", cells.size(), cells.size() == 1 ? " cell" : " cells", ", ", columns, " expected"));
      for (std::size_t i = 0; i < columns; ++i) values_.push_back(cell_value(cells[i], i));
    }
    if (values_.empty()) raise<FileError>("'", name_, "' has no row of numbers");
    const auto width = static_cast<Index>(columns);
    table_.values = HostArray::of(Shape{static_cast<Index>(values_.size()) / width, width}, values_);
    return std::move(table_);
  }

 private:
  [[noreturn]] void fail(std::string_view what) const { raise<FileError>("'", name_, "' line ", line_, " ", what); }

  bool next_line(std::string_view& line) {
    if (text_.empty()) return false;
    const std::size_t end = text_.find('\n');
    line = text_.substr(0, end);
    text_.remove_prefix(end == std::string_view::npos ? text_.size() : end + 1);
    ++line_;
    return true;
  }
  static char separator_of(std::string_view line) {
    for (const char one : {',', ';', '\t'})
      if (line.find(one) != std::string_view::npos) return one;
    return ',';
  }
  std::vector<std::string> split(std::string_view line) const {
    std::vector<std::string> cells(1);
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      if (line[i] == '"' && quoted && i + 1 < line.size() && line[i + 1] == '"') {
        cells.back() += line[++i];
      } else if (line[i] == '"') {
        quoted = !quoted;
      } else if (line[i] == separator_ && !quoted) {
        cells.emplace_back();
      } else {
        cells.back() += line[i];
      }
    }
    if (quoted) fail("has a quote that is not closed");
    for (std::string& cell : cells) cell = trimmed(cell);
    return cells;
  }
  bool take_as_header(const std::vector<std::string>& cells) {
    bool all_numbers = true;
    for (const std::string& cell : cells) all_numbers = all_numbers && number(cell).has_value();
    if (!all_numbers) table_.columns = cells;
    return !all_numbers;
  }
  double cell_value(const std::string& cell, std::size_t column) const {
    const std::optional<double> value = number(cell);
    if (value && std::isfinite(*value)) return *value;
    const std::string title = table_.columns.empty() ? "" : concat(" (", table_.columns[column], ")");
    fail(concat("column ", column + 1, title, ": ", cell.empty() ? "nothing" : concat("'", cell.substr(0, 40), "'"),
                ", a ", value ? "finite " : "", "number is needed"));
  }

  std::string_view text_;
  const std::string& name_;
  char separator_ = ',';
  std::size_t line_ = 0;
  std::vector<double> values_;
  Table table_;
};

}  // namespace

Table parse_csv(std::string_view text, const std::string& name) { return CsvParser(text, name).parse(); }

Table read_csv(const std::filesystem::path& path) {
  const Bytes file = read_data_file(path);
  return parse_csv(text_of(file), path.string());
}

}  // namespace squall
