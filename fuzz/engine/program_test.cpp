// A program's end is told whatever it does, and nothing of it stays behind.
#include "fuzz/engine/program.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

namespace fuzz {
namespace {

Program shell(std::string text) {
  return {.words = {"/bin/sh", "-c", std::move(text)}, .environment = {}};
}

TEST(Program, ItsCodeAndWordsAreTold) {
  Program program = shell("echo \"$TOLD\"; echo wrong >&2; exit 7");
  program.environment = {{"TOLD", "right"}};
  const ProgramEnd end = run_program(program);
  EXPECT_TRUE(end.exited(7));
  EXPECT_FALSE(end.exited(0));
  EXPECT_EQ(end.output, "right\n");
  EXPECT_EQ(end.errors, "wrong\n");
  EXPECT_EQ(end.text(), "ended with code 7");
}

TEST(Program, ASignalIsNoCode) {
  const ProgramEnd end = run_program(shell("kill -9 $$"));
  EXPECT_FALSE(end.exited(9));
  EXPECT_EQ(end.text(), "died of signal 9");
}

TEST(Program, OneThatCannotBeStartedSaysSo) {
  const ProgramEnd end = run_program({.words = {"/no/such/program"}, .environment = {}});
  EXPECT_TRUE(end.exited(127));
  EXPECT_EQ(end.errors, "/no/such/program cannot be started\n");
}

TEST(Program, WhoTakesTooLongIsKilledWithAllItStarted) {
  Program program = shell("sleep 100 & echo $!; wait");
  program.seconds = 0.3;
  const ProgramEnd end = run_program(program);
  EXPECT_EQ(end.stopper, Stopper::watchdog);
  const pid_t child = std::stoi(end.output);
  for (int i = 0; i < 100 && ::kill(child, 0) == 0; ++i) ::usleep(20'000);
  // Whoever inherits it may not have reaped it yet; it does not run any more.
  EXPECT_EQ(run_program(shell("! grep -q '(sleep) [RS]' /proc/" + std::to_string(child) + "/stat"))
                .exited(0),
            true);
}

TEST(Program, WhoTakesTooMuchMemoryIsKilled) {
  // The string doubles until it is too long.
  Program program = shell("x=0123456789abcdef; while :; do x=$x$x; done");
  program.memory_bytes = 64u << 20;
  EXPECT_EQ(run_program(program).stopper, Stopper::memory);
}

TEST(Program, OfAFloodTheEndIsKept) {
  const ProgramEnd end = run_program(
      shell("head -c 9000000 /dev/zero; echo last; head -c 9000000 /dev/zero >&2; echo last >&2"));
  EXPECT_TRUE(end.output.ends_with("last\n"));
  EXPECT_TRUE(end.errors.ends_with("last\n"));
  EXPECT_LE(end.output.size(), 3 * ProgramEnd::output_max);
  EXPECT_LE(end.errors.size(), 5000u);
}

TEST(Program, WhatItLeavesBehindHoldsNobodyUp) {
  Program program = shell("sleep 100 & exit 3");
  EXPECT_TRUE(run_program(program).exited(3));
}

}  // namespace
}  // namespace fuzz
