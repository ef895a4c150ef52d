#include "squall/core/task_network.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace squall {

namespace {

bool is_capital(char c) { return c >= 'A' && c <= 'Z'; }
bool is_small(char c) { return c >= 'a' && c <= 'z'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct Argument {
  enum class Kind : std::uint8_t { Letter, Whole, Real };
  Kind kind = Kind::Letter;
  std::string text;
  std::size_t at = 0;
};

struct Item {
  char type = 0;
  std::size_t at = 0;
  std::vector<Argument> arguments;
};

// Text to items; knows nothing of layers.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  std::vector<Item> scan() {
    std::vector<Item> items;
    for (skip_blanks(); at_ < text_.size(); skip_blanks()) {
      items.push_back(scan_type());
      skip_blanks();
      while (at_ < text_.size() && !is_capital(text_[at_])) items.back().arguments.push_back(scan_argument());
    }
    return items;
  }

  template <class... Parts>
  [[noreturn]] void fail(std::size_t at, const Parts&... parts) const {
    raise<ConfigError>("network spec '", text_, "', position ", at + 1, ": ", parts...);
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r'))) ++at_;
  }

  Item scan_type() {
    const std::size_t begin = at_;
    while (at_ < text_.size() && is_capital(text_[at_])) ++at_;
    if (at_ == begin) fail(begin, "a layer begins with one of F, R, L, B, D, C, P, not with '", text_[begin], "'");
    const std::string_view word = text_.substr(begin, at_ - begin);
    if (word.size() > 1)
      fail(begin, "there is no layer '", word, "'; put a blank between layers that have no arguments");
    if (std::string_view("FRLBDCP").find(word[0]) == std::string_view::npos)
      fail(begin, "there is no layer '", word, "'; layers are F, R, L, B, D, C, P");
    return {word[0], begin, {}};
  }

  Argument scan_argument() {
    Argument a;
    a.at = at_;
    if (is_small(text_[at_])) {
      ++at_;
    } else {
      scan_number(a);
    }
    a.text = std::string(text_.substr(a.at, at_ - a.at));
    skip_blanks();
    if (at_ < text_.size() && std::string_view(":/|").find(text_[at_]) != std::string_view::npos) ++at_;
    skip_blanks();
    return a;
  }

  void scan_number(Argument& a) {
    if (text_[at_] == '+' || text_[at_] == '-') ++at_;
    const std::size_t digits = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    const bool point = at_ + 1 < text_.size() && text_[at_] == '.' && is_digit(text_[at_ + 1]);
    if (!point && at_ == digits) fail(a.at, "'", text_[a.at], "' is neither a layer nor a letter nor a number");
    if (point) {
      ++at_;
      while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    }
    a.kind = point ? Argument::Kind::Real : Argument::Kind::Whole;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

// Items to layers.
class Builder {
 public:
  Builder(std::string_view spec, Architecture& a) : scanner_(spec), a_(a) {}

  Port build(Port last) {
    for (Item& item : scanner_.scan()) {
      item_ = &item;
      next_ = 0;
      last = last >> add();
    }
    return last;
  }
  // Layers that have an activation, each with its name.
  const std::vector<std::pair<Port, std::string>>& activated() const { return activated_; }

 private:
  Port add() {
    switch (item_->type) {
      case 'F': return add_sized("FullyConnected", "rel");
      case 'R': return add_sized("Recurrent", "tanh");
      case 'L': return add_sized("Lstm", "tanh");
      case 'B': return finish("BatchNorm", json::object());
      case 'D': return add_dropout();
      case 'C': return add_convolution();
      default: return add_pooling();
    }
  }

  Port add_sized(const char* type, const char* activation) {
    const std::string act = take_activation(activation);
    json options;
    options["size"] = take_whole("the size", 1);
    options["activation"] = act;
    return finish(type, options, act);
  }
  Port add_dropout() {
    json options = json::object();
    if (const Argument* a = peek()) {
      if (a->kind != Argument::Kind::Real)
        scanner_.fail(a->at, "the probability of D is written with a point, like D.2, not '", a->text, "'");
      options["drop_prob"] = number_of(*a);
      ++next_;
    }
    return finish("Dropout", options);
  }
  Port add_convolution() {
    const std::string act = take_activation("rel");
    json options;
    options["num_filters"] = take_whole("the number of filters", 1);
    take_window(options);
    options["activation"] = act;
    return finish("Convolution2D", options, act);
  }
  Port add_pooling() {
    json options;
    options["type"] = "max";
    if (const Argument* a = peek(); a != nullptr && a->kind == Argument::Kind::Letter) {
      if (a->text != "m" && a->text != "a")
        scanner_.fail(a->at, "'", a->text, "' is no kind of pooling: m (max) or a (avg)");
      if (a->text == "a") options["type"] = "avg";
      ++next_;
    }
    take_window(options);
    return finish("Pooling2D", options);
  }

  void take_window(json& options) {
    const Index kernel = take_whole("the size of the window", 1);
    options["kernel_size"] = {kernel, kernel};
    options["stride"] = {1, 1};
    options["padding"] = 0;
    std::string given;
    while (const Argument* a = peek()) {
      if (a->text != "p" && a->text != "s")
        scanner_.fail(a->at, "'", a->text, "' is not p (padding) or s (stride) with a number");
      if (given.find(a->text) != std::string::npos) scanner_.fail(a->at, "'", a->text, "' is given twice");
      given += a->text;
      ++next_;
      if (a->text == "p")
        options["padding"] = take_whole("the padding", 0);
      else
        options["stride"] = json::array({take_whole("the stride", 1)});
      if (a->text == "s") options["stride"].push_back(options["stride"][0]);
    }
  }

  const Argument* peek() const { return next_ < item_->arguments.size() ? &item_->arguments[next_] : nullptr; }

  std::string take_activation(const char* if_none) {
    const Argument* a = peek();
    if (a == nullptr || a->kind != Argument::Kind::Letter) return if_none;
    static constexpr std::array<std::pair<char, std::string_view>, 4> kCodes{
        {{'s', "sigmoid"}, {'t', "tanh"}, {'r', "rel"}, {'l', "linear"}}};
    const auto* found = std::ranges::find(kCodes, a->text[0], &std::pair<char, std::string_view>::first);
    if (found == kCodes.end())
      scanner_.fail(a->at, "'", a->text, "' is no activation: s (sigmoid), t (tanh), r (rel) or l (linear)");
    ++next_;
    return std::string(found->second);
  }

  Index take_whole(const char* what, Index least) {
    const Argument* a = peek();
    if (a == nullptr) scanner_.fail(item_->at, item_->type, " needs ", what, " as a number");
    if (a->kind != Argument::Kind::Whole)
      scanner_.fail(a->at, what, " of ", item_->type, " should be a whole number, not '", a->text, "'");
    Index value = 0;
    const char* begin = a->text.data() + (a->text[0] == '+' ? 1 : 0);
    const auto [end, bad] = std::from_chars(begin, a->text.data() + a->text.size(), value);
    if (bad != std::errc{} || value < least)
      scanner_.fail(a->at, what, " of ", item_->type, " should be at least ", least, ", not ", a->text);
    ++next_;
    return value;
  }

  double number_of(const Argument& a) const {
    double value = 0;
    const char* begin = a.text.data() + (a.text[0] == '+' ? 1 : 0);
    std::from_chars(begin, a.text.data() + a.text.size(), value);
    if (!(value >= 0 && value < 1)) scanner_.fail(a.at, "the probability of D should be from 0 to below 1");
    return value;
  }

  Port finish(const char* type, const json& options, const std::string& activation = "") {
    if (const Argument* a = peek())
      scanner_.fail(a->at, item_->type, item_->arguments.size() == 1 ? " takes no '" : " takes no further '", a->text,
                    "'");
    Port made = a_.add(type, type, options);
    if (!activation.empty()) activated_.emplace_back(made, activation);
    return made;
  }

  Scanner scanner_;
  Architecture& a_;
  const Item* item_ = nullptr;
  std::size_t next_ = 0;
  std::vector<std::pair<Port, std::string>> activated_;
};

json with_time(std::vector<Index> features) {
  json out = {"T", "B"};
  for (const Index f : features) out.push_back(f);
  return out;
}

void check_shape(const FeatureShape& shape, std::string_view name, Problems& problems) {
  if (shape.values.empty()) problems.add("", concat("option '", name, "' is needed: the features of one example"));
  for (const Index v : shape.values)
    if (v < 1) problems.add("", concat("option '", name, "' should have positive numbers, not ", v));
}

Port add_projection(Architecture& a, const InOutOptions& o) {
  const auto& out = o.out_shape.values;
  const std::string name = o.projection_name.empty() ? o.outlayer_name + "_projection" : o.projection_name;
  json options;
  if (out.size() == 1 || o.use_conv == false) {
    options["size"] = out;
    options["activation"] = "linear";
    return a.add(name, "FullyConnected", options);
  }
  if (out.size() != 3 && !o.use_conv)
    raise<ConfigError>("option 'out_shape' has ", out.size(),
                       " axes: say with 'use_conv' whether the projection is a convolution");
  options["num_filters"] = out.back();
  options["kernel_size"] = {1, 1};
  options["activation"] = "linear";
  return a.add(name, "Convolution2D", options);
}

const char* criterion_of(TaskType task) {
  switch (task) {
    case TaskType::Classification: return "SoftmaxCE";
    case TaskType::MultiLabel: return "SigmoidCE";
    case TaskType::Regression: return "SquaredError";
  }
  return "";
}

json pattern_of(std::string_view type, std::string_view option, const json& value) {
  json out;
  out["@type"] = std::string(type);
  out[std::string(option)] = value;
  return out;
}

}  // namespace

std::span<const EnumName<TaskType>> enum_names(TaskType) {
  static constexpr std::array<EnumName<TaskType>, 3> kNames{{{"classification", TaskType::Classification},
                                                             {"multi-label", TaskType::MultiLabel},
                                                             {"regression", TaskType::Regression}}};
  return kNames;
}

Expectation read_value(const json& j, FeatureShape& out) {
  const bool bad = j.is_array() ? read_value(j, out.values).has_value() : !j.is_number_integer();
  if (bad) return "a whole number or a list of them";
  if (j.is_number_integer()) out.values = {j.get<Index>()};
  return std::nullopt;
}
void write_value(const FeatureShape& v, json& out) { out = v.values.size() == 1 ? json(v.values[0]) : json(v.values); }

InOut get_in_out_layers(Architecture& a, const InOutOptions& o) {
  Problems problems;
  check_shape(o.in_shape, "in_shape", problems);
  check_shape(o.out_shape, "out_shape", problems);
  problems.raise_if_any("the ends of the network cannot be made");
  auto targets = o.out_shape.values;
  if (o.task == TaskType::Classification) targets.back() = 1;
  json shapes;
  shapes[o.data_name] = with_time(o.in_shape.values);
  shapes[o.targets_name] = with_time(targets);
  if (!o.mask_name.empty()) shapes[o.mask_name] = with_time({1});
  if (shapes.size() != (o.mask_name.empty() ? 2U : 3U))
    raise<ConfigError>("data_name, targets_name and mask_name should be different names");
  const Port input = a.input(shapes);
  const Port projection = add_projection(a, o);
  const Port criterion = projection >> a.add(o.outlayer_name, criterion_of(o.task));
  (input - o.targets_name) >> ("targets" - criterion);
  Port loss = criterion - "loss";
  if (!o.mask_name.empty()) {
    const Port mask = a.add("Mask", "Mask");
    loss >> mask;
    (input - o.mask_name) >> ("mask" - mask);
    loss = mask;
  }
  loss >> a.add("Loss", "Loss");
  return {input - o.data_name, projection, criterion};
}

SpecNetwork create_net_from_spec(std::string_view spec, const InOutOptions& options) {
  SpecNetwork out;
  const InOut ends = get_in_out_layers(out.architecture, options);
  Builder builder(spec, out.architecture);
  builder.build(ends.input) >> ends.projection;
  out.initialize = json::object();
  for (const auto& [port, activation] : builder.activated())
    out.initialize[port.name()] = pattern_of("DenseSqrtFanInOut", "scale", activation);
  out.initialize[ends.projection.name()] = pattern_of("DenseSqrtFanInOut", "scale", "linear");
  for (const char* rest : {"default", "fallback"}) out.initialize[rest] = pattern_of("Gaussian", "std", 0.1);
  out.output = ends.criterion.name() + ".predictions";
  return out;
}

bool is_network_spec(const json& network) { return network.is_object() && network.contains("@spec"); }

SpecNetwork network_from_spec(const json& network, std::string_view where) {
  if (network.contains("tasks")) return task_network_from_spec(network, where);
  Problems problems;
  InOutOptions options;
  read_fields(network, where, options, problems);
  for (const auto& [key, value] : network.items())
    if (key.starts_with('@') && key != "@spec") problems.add(where, concat("unknown key '", key, "' beside '@spec'"));
  if (!network["@spec"].is_string())
    problems.add(where, concat("'@spec' should be a text like \"F500 D F500\", not ", network["@spec"].dump()));
  problems.raise_if_any("the network cannot be used");
  try {
    return create_net_from_spec(network["@spec"].get_ref<const std::string&>(), options);
  } catch (const ConfigError& e) {
    raise<ConfigError>(where, where.empty() ? "" : ": ", e.what());
  }
}

Architecture read_architecture(const json& network, std::string_view where) {
  return is_network_spec(network) ? network_from_spec(network, where).architecture
                                  : Architecture::from_json(network, where);
}

}  // namespace squall
