// Makers of everything that has an @type, by abstract type: layers, steppers, hooks, ...
// A catalog is an object that is passed; there is no global one.
#pragma once

#include <concepts>
#include <map>
#include <memory>
#include <typeindex>

#include "squall/core/describe.hpp"

namespace squall {

class Catalog;

// What is known of one type: shown by `squall describe`.
struct TypeDoc {
  std::string type, doc;
  std::vector<OptionDoc> options;
};

class FamilyBase {
 public:
  virtual ~FamilyBase() = default;
  virtual std::vector<std::string> names() const = 0;      // without aliases, sorted
  virtual bool contains(std::string_view type) const = 0;  // aliases, too
  virtual TypeDoc doc(std::string_view type) const = 0;
};

// Objects that need others (a schedule, an inner iterator) read them from their raw options after construction.
template <class D>
concept Resolvable = requires(D& d, const Catalog& c, std::string_view where, Problems& p) {
  d.resolve(c, where, p);
};

// The @type of an object; nothing, and a problem, where there is none.
std::optional<std::string> type_of(const json& j, std::string_view where, Problems& problems);
void report_unknown_type(std::string_view type, const std::vector<std::string>& known, std::string_view where,
                         Problems& problems);

template <class Base>
class Family : public FamilyBase {
 public:
  // Uses D::kType, D::kDoc, D::Options; a second type of the same name is an error.
  template <std::derived_from<Base> D>
  void add() {
    const std::string name(D::kType);
    if (makers_.contains(name)) raise<ConfigError>("type '", name, "' is registered twice");
    makers_[name] = {
        [](const json& j, std::string_view where, const Catalog& catalog, Problems& problems) -> std::unique_ptr<Base> {
          auto made = std::make_unique<D>();
          read_fields(j, where, made->options, problems);
          if constexpr (Resolvable<D>) made->resolve(catalog, where, problems);
          return made;
        },
        {name, std::string(D::kDoc), option_docs<typename D::Options>()}};
  }
  // Another accepted spelling of a registered type.
  void alias(std::string_view other, std::string_view type) { aliases_[std::string(other)] = std::string(type); }

  bool contains(std::string_view type) const override { return makers_.contains(resolve_alias(type)); }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, maker] : makers_) out.push_back(name);
    return out;
  }
  TypeDoc doc(std::string_view type) const override { return makers_.at(resolve_alias(type)).doc; }

  // Makes the object described by {"@type": ..., options}; null and a problem when that is not possible.
  std::unique_ptr<Base> make(const json& j, std::string_view where, const Catalog& catalog, Problems& problems) const {
    const auto type = type_of(j, where, problems);
    if (!type) return nullptr;
    const auto found = makers_.find(resolve_alias(*type));
    if (found == makers_.end()) {
      report_unknown_type(*type, names(), where, problems);
      return nullptr;
    }
    return found->second.make(j, where, catalog, problems);
  }
  // The same; throws ConfigError with all problems.
  std::unique_ptr<Base> make(const json& j, std::string_view where, const Catalog& catalog) const {
    Problems problems;
    auto made = make(j, where, catalog, problems);
    problems.raise_if_any(where);
    return made;
  }

 private:
  struct Maker {
    std::unique_ptr<Base> (*make)(const json&, std::string_view, const Catalog&, Problems&);
    TypeDoc doc;
  };
  std::string resolve_alias(std::string_view type) const {
    const auto found = aliases_.find(std::string(type));
    return found == aliases_.end() ? std::string(type) : found->second;
  }
  std::map<std::string, Maker> makers_;
  std::map<std::string, std::string> aliases_;
};

class Catalog {
 public:
  // The family of an abstract type, made on first use. `Base::kFamily` names it.
  template <class Base>
  Family<Base>& of() {
    auto& slot = families_[std::type_index(typeid(Base))];
    if (!slot) {
      slot = std::make_unique<Family<Base>>();
      by_name_[std::string(Base::kFamily)] = slot.get();
    }
    return static_cast<Family<Base>&>(*slot);
  }
  template <class Base>
  const Family<Base>& of() const {
    const auto found = families_.find(std::type_index(typeid(Base)));
    if (found == families_.end()) raise<ConfigError>("no ", Base::kFamily, " is registered");
    return static_cast<const Family<Base>&>(*found->second);
  }
  // Family name ("layer", "hook", ...) to family, for listings.
  const std::map<std::string, const FamilyBase*>& families() const { return by_name_; }

 private:
  std::map<std::type_index, std::unique_ptr<FamilyBase>> families_;
  std::map<std::string, const FamilyBase*> by_name_;
};

}  // namespace squall
