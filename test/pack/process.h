// Programs that tests run.
#ifndef LUT_TEST_PACK_PROCESS_H
#define LUT_TEST_PACK_PROCESS_H

#include <csignal>
#include <cstdint>
#include <string>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace lut::test {

struct Outcome {
  int exitCode;       // -1: killed
  std::string output; // of stdout and stderr
  uint64_t peakBytes; // of resident memory
};

// A running program whose output goes to a pipe.
class Process {
public:
  explicit Process(std::vector<std::string> command) {
    int ends[2];
    if (pipe(ends) != 0)
      return;
    id = fork();
    if (id == 0) {
      dup2(ends[1], STDOUT_FILENO);
      dup2(ends[1], STDERR_FILENO);
      close(ends[0]);
      close(ends[1]);
      std::vector<char *> arguments;
      for (std::string &word : command)
        arguments.push_back(word.data());
      arguments.push_back(nullptr);
      execv(arguments[0], arguments.data());
      _exit(127);
    }
    close(ends[1]);
    output = ends[0];
  }
  Process(const Process &) = delete;

  void send(int signal) { kill(id, signal); }

  Outcome wait() {
    Outcome outcome{-1, "", 0};
    char part[4096];
    for (ssize_t count; (count = read(output, part, sizeof part)) > 0;)
      outcome.output.append(part, size_t(count));
    close(output);
    int status = 0;
    rusage usage = {};
    wait4(id, &status, 0, &usage);
    outcome.peakBytes = uint64_t(usage.ru_maxrss) << 10;
    outcome.exitCode = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return outcome;
  }

private:
  pid_t id = -1;
  int output = -1;
};

inline Outcome run(std::vector<std::string> command) { return Process(std::move(command)).wait(); }

} // namespace lut::test

#endif
