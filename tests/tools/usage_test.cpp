// How the program answers wrong usage, and output that cannot be written.
#include "run_command.hpp"
#include "support/catch.hpp"

using namespace squall;
using namespace squall::testing;

namespace {

// One line that starts with the program's name.
bool one_line(const std::string& text) { return text.starts_with("squall: ") && text.find('\n') + 1 == text.size(); }

const char* kOntoFullDisk = "sh -c '\"$0\" \"$@\" > /dev/full'";

void refuses(const std::string& arguments, std::initializer_list<const char*> words) {
  const Ran ran = run_squall(arguments);
  INFO(arguments << ": " << ran.err);
  CHECK(ran.code == 2);
  CHECK(ran.out.empty());
  CHECK(ran.err.size() < 400);
  for (const char* word : words) CHECK(ran.err.find(word) != std::string::npos);
}

}  // namespace

TEST_CASE("a result that cannot be written is told and fails") {
  const Folder folder;
  const std::string e = folder.write("e.json", tiny_experiment());
  for (const std::string& arguments :
       {std::string("info"), std::string("describe --json"), "draw " + e, "layout " + e, "train --dry-run " + e}) {
    const Ran ran = run_squall(arguments, kOntoFullDisk);
    INFO(arguments << ": " << ran.err);
    CHECK(ran.code == 1);
    CHECK(one_line(ran.err));
    CHECK(ran.err.find("stdout") != std::string::npos);
  }
}

TEST_CASE("values on the command line that cannot be are wrong usage") {
  const Folder folder;
  const std::string e = folder.write("e.json", tiny_experiment());
  refuses("train " + e + " --set train.batch_size", {"--set", "PATH=VALUE"});
  refuses("train " + e + " --set =3", {"--set", "PATH=VALUE"});
  refuses("train " + e + " --handler gpu", {"gpu", "cuda:0"});
  refuses("train " + e + " --seed -1", {"--seed", "'-1'"});
  refuses("train " + e + " --threads -2", {"--threads", "from 0", "'-2'"});
  refuses("layout " + e + " --batch -1", {"--batch", "from 1", "'-1'"});
  refuses("convert m.h5 --out n.h5 --batches a", {"--batches", "'a'"});
  refuses("sparsify m.h5 --out n.h5 --method magic", {"--method", "magnitude", "'magic'"});
}

TEST_CASE("an unknown command is told with the nearest") {
  refuses("trian x.json", {"'trian'", "did you mean 'train'"});
  refuses("data inspct", {"'inspct'", "did you mean 'inspect'"});
  refuses("foo", {"'foo'", "commands are", "train"});
}

TEST_CASE("mistakes in experiments are told with their place and the remedy") {
  const Folder folder;
  const Ran large = run_squall("info " + folder.write("n.json", "{\n\"seed\": 1e999}"));
  INFO(large.err);
  CHECK(large.code == 1);
  CHECK(large.err.find("line 2") != std::string::npos);
  CHECK(large.err.find("1e999") != std::string::npos);
  CHECK(large.err.find("exception") == std::string::npos);
  std::string text = tiny_experiment();
  for (auto at = text.find(", \"validation\": 0.2"); at != std::string::npos; at = text.find(", \"validation\": 0.2"))
    text.erase(at, 19);
  const Ran bare = run_squall("train " + folder.write("bare.json", text) + " --quiet --out " + (folder / "run"));
  INFO(bare.err);
  CHECK(bare.code == 1);
  CHECK(bare.err.find("data.NAME.validation") != std::string::npos);
}
