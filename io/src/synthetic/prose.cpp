#include "squall/core/random.hpp"
#include "squall/io/text.hpp"

namespace squall {

namespace {

// Words of an invented language and sentences made of them: frequent and rare words, verbs that agree with their
// subjects over a distance, relative clauses and brackets inside each other.
class Prose {
 public:
  explicit Prose(std::uint64_t seed) : rng_(seed, "prose") {
    constexpr Index kNouns = 300, kVerbs = 120, kAdjectives = 80;
    nouns_ = words(kNouns, 2);
    verbs_ = words(kVerbs, 1);
    adjectives_ = words(kAdjectives, 2);
  }

  void sentence(std::string& out) {
    const std::size_t begin = out.size();
    clause(out, 0);
    if (rng_.below(4) == 0) {
      out += rng_.below(2) == 0 ? ", but " : ", and ";
      clause(out, 0);
    }
    out[begin] = static_cast<char>(out[begin] - 'a' + 'A');
    out += rng_.below(8) == 0 ? "?" : ".";
    out += rng_.below(6) == 0 ? "\n" : " ";
  }

 private:
  std::string syllable() {
    constexpr std::string_view kFirst = "bdfgklmnprstvz";
    constexpr std::string_view kVowels = "aeiou";
    std::string s;
    s += kFirst[static_cast<std::size_t>(rng_.below(static_cast<Index>(kFirst.size())))];
    s += kVowels[static_cast<std::size_t>(rng_.below(static_cast<Index>(kVowels.size())))];
    if (rng_.below(3) == 0) s += "nrls"[rng_.below(4)];
    return s;
  }
  std::vector<std::string> words(Index count, Index least) {
    std::vector<std::string> all;
    for (Index i = 0; i < count; ++i) {
      std::string word;
      for (Index s = least + rng_.below(2); s > 0; --s) word += syllable();
      all.push_back(word);
    }
    return all;
  }
  // The first words are the frequent ones.
  const std::string& pick(const std::vector<std::string>& from) {
    const double u = rng_.uniform();
    return from[static_cast<std::size_t>(u * u * u * static_cast<double>(from.size()))];
  }

  void noun_phrase(std::string& out, bool plural, int depth) {
    out += plural ? "these " : "the ";
    if (rng_.below(3) == 0) out += pick(adjectives_) + "ic ";
    out += pick(nouns_) + (plural ? "im" : "o");
    if (depth < 2 && rng_.below(5) == 0) {
      out += " that ";
      verb_phrase(out, plural, depth + 1);
    }
    if (depth < 2 && rng_.below(8) == 0) {
      out += " (";
      clause(out, depth + 1);
      out += ")";
    }
  }
  void verb_phrase(std::string& out, bool plural, int depth) {
    out += pick(verbs_) + (plural ? "en" : "at");
    if (rng_.below(3) != 0) {
      out += " ";
      noun_phrase(out, rng_.below(2) == 0, depth + 1);
    }
  }
  void clause(std::string& out, int depth) {
    const bool plural = rng_.below(2) == 0;
    noun_phrase(out, plural, depth);
    out += " ";
    verb_phrase(out, plural, depth);
  }

  Rng rng_;
  std::vector<std::string> nouns_, verbs_, adjectives_;
};

}  // namespace

Bytes draw_text(Index bytes, std::uint64_t seed) {
  Prose prose(seed);
  std::string text;
  while (static_cast<Index>(text.size()) < bytes) prose.sentence(text);
  const auto* first = reinterpret_cast<const std::byte*>(text.data());
  return {first, first + bytes};
}

}  // namespace squall
