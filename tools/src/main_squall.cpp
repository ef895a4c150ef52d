#include "cli/context.hpp"

int main(int argc, char** argv) { return squall::cli::run_command_line(argc, argv); }
