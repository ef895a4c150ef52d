// Catalogs: making things from their descriptions.
#include "squall/core/catalog.hpp"
#include "squall/core/json.hpp"

#include "support/catch.hpp"
#include "support/graph_checks.hpp"

using namespace squall;
using graph_test::contains;
using graph_test::message_of;

namespace {

class Animal : public Describable {
 public:
  static constexpr std::string_view kFamily = "animal";
};
struct CatOptions {
  Index lives = 9;
  json friend_of = nullptr;
  static constexpr auto fields = std::tuple{field("lives", &CatOptions::lives, "how many"),
                                            field("friend_of", &CatOptions::friend_of, "another animal")};
};
class Cat final : public DescribedAs<Animal, Cat, CatOptions> {
 public:
  static constexpr std::string_view kType = "Cat";
  static constexpr std::string_view kDoc = "It purrs.";
  void resolve(const Catalog& catalog, std::string_view where, Problems& problems) {
    if (!options.friend_of.is_null())
      other = catalog.of<Animal>().make(options.friend_of, concat(where, ".friend_of"), catalog, problems);
  }
  std::unique_ptr<Animal> other;
};
class Dog final : public DescribedAs<Animal, Dog, NoOptions> {
 public:
  static constexpr std::string_view kType = "Dog";
  static constexpr std::string_view kDoc = "It barks.";
};
class Plant : public Describable {
 public:
  static constexpr std::string_view kFamily = "plant";
};

Catalog animals() {
  Catalog catalog;
  catalog.of<Animal>().add<Dog>();
  catalog.of<Animal>().add<Cat>();
  return catalog;
}
std::string error_of(const json& j) {
  const Catalog catalog = animals();
  return message_of([&] { catalog.of<Animal>().make(j, "zoo", catalog); });
}

}  // namespace

TEST_CASE("a catalog makes what a description says, and it describes itself the same") {
  const Catalog catalog = animals();
  for (const json& j : {json{{"@type", "Cat"}}, json{{"@type", "Cat"}, {"lives", 7}}, json{{"@type", "Dog"}}}) {
    const auto made = catalog.of<Animal>().make(j, "zoo", catalog);
    REQUIRE(made);
    CHECK(made->describe() == j);
    CHECK(made->type() == j["@type"].get<std::string>());
  }
}

TEST_CASE("an unknown type is told with the nearest and with all") {
  CHECK(error_of({{"@type", "Kat"}}) == "zoo: unknown type 'Kat'; did you mean 'Cat'?; known are: Cat, Dog");
  CHECK(error_of({{"@type", "Hippopotamus"}}) == "zoo: unknown type 'Hippopotamus'; known are: Cat, Dog");
  CHECK(error_of({{"@type", ""}}).starts_with("zoo: unknown type ''"));
}

TEST_CASE("a description without a type is told") {
  for (const json& j : {json::object(), json{{"lives", 3}}, json{{"@type", 3}}, json("Cat"), json(nullptr), json(3)})
    CHECK(error_of(j) == "zoo: should be an object with an '@type'");
}

TEST_CASE("wrong options of a type are told with where they are") {
  CHECK(error_of({{"@type", "Cat"}, {"live", 3}}) ==
        "zoo: unknown option 'live'; did you mean 'lives'?; options are: friend_of, lives");
  CHECK(error_of({{"@type", "Dog"}, {"lives", 3}}) == "zoo: unknown option 'lives'; there are no options");
}

TEST_CASE("objects inside objects are made too, and their mistakes are told by path, all at once") {
  const Catalog catalog = animals();
  const json nested = {{"@type", "Cat"}, {"friend_of", {{"@type", "Dog"}}}};
  const auto made = catalog.of<Animal>().make(nested, "zoo", catalog);
  REQUIRE(dynamic_cast<Cat&>(*made).other);
  CHECK(dynamic_cast<Cat&>(*made).other->type() == "Dog");
  const auto text = error_of({{"@type", "Cat"}, {"lives", "x"}, {"friend_of", {{"@type", "Dgo"}}}});
  CHECK(contains(text, "zoo: option 'lives' should be a whole number"));
  CHECK(contains(text, "zoo.friend_of: unknown type 'Dgo'; did you mean 'Dog'?"));
}

TEST_CASE("a type cannot be registered twice") {
  Catalog catalog = animals();
  CHECK(message_of([&] { catalog.of<Animal>().add<Cat>(); }) == "type 'Cat' is registered twice");
}

TEST_CASE("an alias makes the type it stands for") {
  Catalog catalog = animals();
  catalog.of<Animal>().alias("Kitten", "Cat");
  CHECK(catalog.of<Animal>().contains("Kitten"));
  CHECK_FALSE(catalog.of<Animal>().contains("Puppy"));
  CHECK(catalog.of<Animal>().make({{"@type", "Kitten"}, {"lives", 1}}, "zoo", catalog)->type() == "Cat");
  CHECK(catalog.of<Animal>().names() == std::vector<std::string>{"Cat", "Dog"});
}

TEST_CASE("catalogs list their families and document their types") {
  const Catalog catalog = animals();
  REQUIRE(catalog.families().contains("animal"));
  const auto doc = catalog.families().at("animal")->doc("Cat");
  CHECK(doc.doc == "It purrs.");
  REQUIRE(doc.options.size() == 2);
  CHECK(doc.options[0].name == "lives");
  CHECK(doc.options[0].default_value == "9");
  CHECK(message_of([&] { catalog.of<Plant>(); }) == "no plant is registered");
}
