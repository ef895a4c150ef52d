// The report of a model as one page of XHTML.
#include <fmt/format.h>

#include <map>

#include "report/svg.hpp"

namespace squall {

namespace {

using report::escape;

constexpr const char* kHead = R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" lang="en">
<head>
<meta charset="UTF-8"/>
<meta name="viewport" content="width=device-width"/>
<style>
body { font-family: Helvetica, Arial, sans-serif; margin: 24px; color: #222; background: #f7f8fa; max-width: 1100px; }
table { border-collapse: collapse; background: #fff; font-size: 13px; }
td, th { padding: 3px 9px; border: 1px solid #dde1e7; text-align: right; }
td.name, th.name { text-align: left; }
.box { display: inline-block; margin: 0 18px 18px 0; vertical-align: top; font-size: 12px; }
.key { display: inline-block; width: 11px; height: 11px; margin: 0 4px 0 12px; }
</style>
)";

std::string cell(const std::string& text, const char* kind = "") { return fmt::format("<td{}>{}</td>", kind, text); }
std::string name(const std::string& text) { return cell(escape(text), " class='name'"); }

std::string head(std::initializer_list<const char*> names, std::size_t left) {
  std::string out = "<tr>";
  std::size_t i = 0;
  for (const char* n : names) out += fmt::format("<th{}>{}</th>", i++ < left ? " class='name'" : "", n);
  return out + "</tr>\n";
}

std::string legend(const ModelReport& r) {
  std::string out = "<p>";
  for (std::size_t t = 0; t < r.tasks.size(); ++t)
    out += fmt::format("<span class='key' style='background: {}'></span>{}", report::colour(t), escape(r.tasks[t]));
  return out +
         "<span class='key' style='background: #111111'></span>several"
         "<span class='key' style='background: #eceff3'></span>free</p>\n";
}

std::string score_text(const ModelReport& r, const std::string& task, const char* which) {
  if (!r.scores.is_object() || !r.scores.contains(task) || !r.scores[task].contains(which)) return "-";
  const json& value = r.scores[task][which];
  return value.is_number() ? fmt::format("{:.6g}", value.get<double>()) : "-";
}

std::string tasks_table(const ModelReport& r) {
  std::string out =
      "<h2>Tasks</h2>\n<table id='tasks'>\n" + head({"task", "accuracy", "loss", "weights", "uses", "owns", "density",
                                                     "operations, dense", "operations", "bytes"},
                                                    1);
  for (const auto& t : r.totals)
    out += fmt::format("<tr data-task='{}'>", escape(t.task)) + name(t.task) + cell(score_text(r, t.task, "accuracy")) +
           cell(score_text(r, t.task, "loss")) + cell(std::to_string(t.weights)) + cell(std::to_string(t.kept)) +
           cell(std::to_string(t.owned)) + cell(fmt::format("{:.6g}", r.masks.density(t.task))) +
           cell(std::to_string(t.dense_operations)) + cell(std::to_string(t.operations)) +
           cell(std::to_string(t.bytes)) + "</tr>\n";
  return out + "</table>\n";
}

std::string layers_table(const ModelReport& r) {
  std::string out = "<h2>Layers</h2>\n<table id='layers'>\n" +
                    head({"layer", "task", "weights", "uses", "owns", "density", "dead units", "operations, dense",
                          "operations", "bytes, dense", "bytes", "format", "us, dense", "us"},
                         2);
  const auto time = [](double us) { return us < 0 ? std::string("-") : fmt::format("{:.1f}", us); };
  for (const auto& f : r.layers)
    out += fmt::format("<tr data-layer='{}' data-task='{}'>", escape(f.layer), escape(f.task)) + name(f.layer) +
           name(f.task) + cell(std::to_string(f.weights)) + cell(std::to_string(f.kept)) +
           cell(std::to_string(f.owned)) + cell(fmt::format("{:.6g}", f.density())) +
           cell(std::to_string(f.dead_units)) + cell(std::to_string(f.dense_operations)) +
           cell(std::to_string(f.operations)) + cell(std::to_string(f.dense_bytes)) + cell(std::to_string(f.bytes)) +
           name(f.format.empty() ? "-" : f.format) + cell(time(f.dense_us)) + cell(time(f.packed_us)) + "</tr>\n";
  out += "</table>\n<p>Operations: multiplications and additions of one example. ";
  if (r.batch > 0)
    out += fmt::format("Microseconds: one batch of {} examples through the layer alone; bytes: of the sparse form.",
                       r.batch);
  return out + "</p>\n";
}

std::string overlap_table(const ModelReport& r) {
  std::string out =
      "<h2>Who shares weights with whom</h2>\n<table id='overlap'>\n<tr><th class='name'>used by both</th>";
  for (const auto& task : r.tasks) out += fmt::format("<th>{}</th>", escape(task));
  out += "</tr>\n";
  for (std::size_t a = 0; a < r.tasks.size(); ++a) {
    out += "<tr>" + name(r.tasks[a]);
    for (const Index n : r.overlap[a]) out += cell(std::to_string(n));
    out += "</tr>\n";
  }
  return out + fmt::format(
                   "</table>\n<p>Of {} weights that tasks divide, <span id='free'>{}</span> are free; "
                   "<span id='twice'>{}</span> have several owners.</p>\n",
                   r.divided, r.free, r.masks.overlap());
}

std::string owners_part(const ModelReport& r) {
  std::string out = "<h2>Who owns what</h2>\n" + legend(r);
  for (const auto& tensor : r.masks.tensors)
    if (tensor.sliced && tensor.tasks.size() > 1)
      out += fmt::format("<div>{}<br/>{}</div>\n", escape(tensor.parameter), report::shares(tensor, r.tasks));
  out += "<p>One square for one weight: units go down, their inputs across.</p>\n";
  for (const auto& s : r.owners) {
    const auto every = [](Index step, const char* what) {
      return step == 1 ? fmt::format("every {}", what) : fmt::format("each {}th {}", step, what);
    };
    out += fmt::format("<div class='box'>{}: {}, {}<br/>{}</div>\n", escape(s.parameter), every(s.row_step, "unit"),
                       every(s.column_step, "input"), report::owners(s, r.tasks));
  }
  return out;
}

// Curves whose names end alike go into one picture.
std::string curves_part(const ModelReport& r) {
  if (r.curves.empty()) return "";
  std::map<std::string, std::vector<const LogCurve*>> groups;
  for (const auto& c : r.curves) groups[c.name.substr(c.name.rfind('.') + 1)].push_back(&c);
  std::string out = "<h2>The run</h2>\n";
  for (const auto& [common, curves] : groups)
    out += fmt::format("<div class='box'>{}<br/>{}</div>\n", escape(common), report::chart(common, curves));
  return out;
}

}  // namespace

std::string to_page(const ModelReport& r) {
  std::string out =
      kHead + fmt::format("<title>{0}</title>\n</head>\n<body>\n<h1>{0}</h1>\n<p>{1} bytes on disk.</p>\n",
                          escape(r.title), r.file_bytes);
  out += tasks_table(r) + layers_table(r);
  if (r.divided > 0) out += overlap_table(r) + owners_part(r);
  out += curves_part(r);
  if (!r.masks.warnings.empty()) {
    out += "<h2>Notes</h2>\n<ul>\n";
    for (const auto& w : r.masks.warnings) out += "<li>" + escape(w) + "</li>\n";
    out += "</ul>\n";
  }
  return out + "</body>\n</html>\n";
}

}  // namespace squall
