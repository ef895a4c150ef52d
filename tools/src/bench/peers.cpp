#include "bench/peers.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>

namespace squall::bench {

namespace {

struct Pipe {
  int read = -1, write = -1;
};
Pipe make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) raise<DataError>("no pipe to a peer: ", std::strerror(errno));
  return {ends[0], ends[1]};
}

// Replaces the process; never returns.
[[noreturn]] void become(const std::vector<std::string>& command, const Pipe& in, const Pipe& out) {
  dup2(in.read, STDIN_FILENO);
  dup2(out.write, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

PeerProcess::PeerProcess(const PeerOptions& options, const PeerCase& what, int threads) : PeerProcess(what) {
  std::signal(SIGPIPE, SIG_IGN);  // a peer that has ended is an error of round(), not ours
  std::vector<std::string> command{options.python, (options.scripts / what.script).string(), "--serve", "--threads",
                                   std::to_string(threads)};
  command.insert(command.end(), what.arguments.begin(), what.arguments.end());
  const Pipe in = make_pipe();
  const Pipe out = make_pipe();
  process_ = fork();
  if (process_ == 0) become(command, in, out);
  close(in.read);
  close(out.write);
  to_ = in.write;
  from_ = out.read;
  if (process_ < 0) raise<DataError>("cannot start ", options.python, ": ", std::strerror(errno));
  const json ready = json::parse(read_line(), nullptr, false);
  if (!ready.is_object() || !ready.contains("ready")) fail("said something else than that it is ready");
}

PeerProcess::~PeerProcess() {
  if (to_ >= 0) close(to_);
  char some[4096];
  while (from_ >= 0 && read(from_, some, sizeof some) > 0) continue;  // it says what it has measured, and ends
  if (from_ >= 0) close(from_);
  if (process_ > 0) waitpid(process_, nullptr, 0);
}

std::map<std::string, double> PeerProcess::round() {
  if (write(to_, "\n", 1) != 1) fail("takes no more orders");
  const json times = json::parse(read_line(), nullptr, false);
  if (!times.is_object()) fail("answered with something else than times");
  std::map<std::string, double> best;
  for (const auto& row : rows_) {
    if (!times.contains(row)) continue;
    for (const auto& [config, us] : times[row].items()) {
      const auto known = best.find(config);
      best[config] = known == best.end() ? us.get<double>() : std::min(known->second, us.get<double>());
    }
  }
  if (best.empty()) fail(concat("could not measure ", join(rows_)));
  return best;
}

std::string PeerProcess::read_line() {
  while (true) {
    const auto end = rest_.find('\n');
    if (end != std::string::npos) {
      std::string line = rest_.substr(0, end);
      rest_.erase(0, end + 1);
      if (line.starts_with("{")) return line;  // else chatter of a library
      continue;
    }
    char some[4096];
    const auto got = read(from_, some, sizeof some);
    if (got <= 0) fail("ended early; run it by hand to see why");
    rest_.append(some, static_cast<std::size_t>(got));
  }
}

void PeerProcess::fail(const std::string& what) { raise<DataError>("peer ", script_, " ", what); }

}  // namespace squall::bench
