#include "job/progress.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <regex>
#include <sstream>

#include "core/log.hpp"

namespace thalweg {
namespace {

/// A pipe or a pseudo-terminal whose output can be read back.
class Screen {
 public:
  static Screen pipe() {
    int ends[2];
    if (::pipe(ends) != 0) std::abort();
    return Screen(ends[0], ends[1]);
  }
  static Screen terminal() {
    const int controller = posix_openpt(O_RDWR | O_NOCTTY);
    if (controller < 0 || grantpt(controller) != 0 || unlockpt(controller) != 0) std::abort();
    return Screen(controller, open(ptsname(controller), O_RDWR | O_NOCTTY));
  }
  ~Screen() {
    close(read_end_);
    close(write_end_);
  }

  int descriptor() const { return write_end_; }
  std::string text() const {
    fcntl(read_end_, F_SETFL, O_NONBLOCK);
    std::string all;
    char block[4096];
    for (ssize_t count; (count = read(read_end_, block, sizeof block)) > 0;)
      all.append(block, static_cast<std::size_t>(count));
    return all;
  }

 private:
  Screen(int read_end, int write_end) : read_end_(read_end), write_end_(write_end) {}
  int read_end_;
  int write_end_;
};

ProgressState state_at(std::int64_t iteration) {
  ProgressState state{.problem = "E12.5->E13.5", .level = 3, .num_levels = 6, .iteration = iteration};
  state.marginal_error = state.error = std::pow(0.5, static_cast<double>(iteration));
  state.gap = 3e-5;
  state.epsilon = 0.05;
  state.bytes = 4200000000;
  state.tolerance = std::pow(0.5, 20);
  return state;
}

/// Runs `checks` checks, one a `step` seconds, then ends the problem.
std::string shown(const Screen& screen, const RunOptions& options, int checks, double step, bool is_root = true) {
  double now = 100.0;
  EventLog events;
  Progress progress(options, is_root, /*is_quiet=*/false, events, screen.descriptor(), [&] { return now; });
  for (int i = 1; i <= checks; ++i) {
    progress.check(state_at(i));
    now += step;
  }
  progress.finish(state_at(checks), StopReason::converged);
  return screen.text();
}

const std::regex line_grammar(
    R"(\S+  level \d+/\d+  iter \d+  marginal \S+  gap \S+  eps \S+  \S+ (s|min|h)(  eta \S+ (s|min|h))?  \S+ [MG]B(  [a-z_]+)?)");

TEST(Progress, OnAPipeWritesWholeLinesWithoutControlCharacters) {
  const Screen screen = Screen::pipe();
  const std::string text = shown(screen, {.progress_every_s = 10.0}, 61, 0.5);
  EXPECT_EQ(text.find_first_of("\r\x1b"), std::string::npos);
  std::istringstream lines(text);
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_TRUE(std::regex_match(line, line_grammar)) << line;
  EXPECT_EQ(count, 4);  // at 10, 20 and 30 s, and the end
  EXPECT_THAT(text, testing::EndsWith("converged\n"));
}

TEST(Progress, OnATerminalRedrawsOneLine) {
  const Screen screen = Screen::terminal();
  const std::string text = shown(screen, {}, 30, 0.3);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\r'),
            30 + 2);  // each check, the last clearing, the terminal's newline
  EXPECT_THAT(text, testing::HasSubstr(
                        "\rE12.5->E13.5  level 3/6  iter 1  marginal 0.5  gap 3e-05  eps 0.05  0.0 s  4.2 GB\x1b[K"));
}

TEST(Progress, CountsTheTimeBeforeTheFirstCheck) {
  const Screen screen = Screen::terminal();
  double now = 100.0;
  EventLog events;
  Progress progress({}, /*is_root=*/true, /*is_quiet=*/false, events, screen.descriptor(), [&] { return now; });
  now += 300.0;
  progress.begin_problem();
  now += 45.0;
  progress.check(state_at(1));
  EXPECT_THAT(screen.text(), testing::HasSubstr("eps 0.05  45 s"));
}

TEST(Progress, RedrawsAtMostFiveTimesASecond) {
  const Screen screen = Screen::terminal();
  const std::string text = shown(screen, {}, 100, 0.01);  // one second
  EXPECT_LE(std::count(text.begin(), text.end(), '\r'), 5 + 2);
  EXPECT_GE(std::count(text.begin(), text.end(), '\r'), 4 + 2);
}

TEST(Progress, ABarMakesWayForALogLine) {
  const Screen screen = Screen::terminal();
  EventLog events;
  Progress progress({}, true, false, events, screen.descriptor());
  progress.check(state_at(1));
  testing::internal::CaptureStderr();
  log_warning("code", "text");
  testing::internal::GetCapturedStderr();
  EXPECT_TRUE(screen.text().ends_with("\x1b[K\r\x1b[K"));
}

TEST(Progress, IsSilentOnOtherRanksAndWhenToldSo) {
  const Screen screen = Screen::pipe();
  EXPECT_EQ(shown(screen, {}, 10, 60.0, /*is_root=*/false), "");
  EXPECT_EQ(shown(screen, {.progress = "none"}, 10, 60.0), "");
}

TEST(Progress, LinesMayBeForcedOnATerminalAndABarOnAPipe) {
  const Screen terminal = Screen::terminal();
  EXPECT_EQ(shown(terminal, {.progress = "lines"}, 3, 1.0).find('\x1b'), std::string::npos);
  const Screen pipe = Screen::pipe();
  EXPECT_NE(shown(pipe, {.progress = "bar"}, 3, 1.0).find('\x1b'), std::string::npos);
}

TEST(Eta, ExtrapolatesTheLogarithmOfTheError) {
  EtaEstimator eta;
  for (int i = 0; i < 10; ++i) eta.add(2.0 * i, std::pow(10.0, -0.5 * i));
  EXPECT_NEAR(*eta.seconds_left(1e-6), 2.0 * 12 - 2.0 * 9, 1e-9);
  EXPECT_EQ(*eta.seconds_left(1.0), 0.0);
}

TEST(Eta, SaysNothingBeforeFiveChecksOrWithoutProgress) {
  EtaEstimator eta;
  for (int i = 0; i < 4; ++i) eta.add(i, std::exp(-i));
  EXPECT_EQ(eta.seconds_left(1e-6), std::nullopt);
  eta.add(4.0, std::exp(-4));
  EXPECT_TRUE(eta.seconds_left(1e-6).has_value());
  eta.restart();
  for (int i = 0; i < 10; ++i) eta.add(i, 1.0 + i);
  EXPECT_EQ(eta.seconds_left(1e-6), std::nullopt);
}

TEST(Eta, ForgetsAllButTheLastTwentyChecks) {
  EtaEstimator eta;
  for (int i = 0; i < 50; ++i) eta.add(i, 1.0);
  for (int i = 0; i < 20; ++i) eta.add(50 + i, std::exp(-i));
  EXPECT_NEAR(*eta.seconds_left(std::exp(-29)), 10.0, 1e-9);
}

TEST(Eta, LeavesOutErrorsWithoutALogarithm) {
  EtaEstimator eta;
  for (int i = 0; i < 5; ++i) eta.add(i, i == 2 ? 0.0 : std::exp(-i));
  EXPECT_EQ(eta.seconds_left(1e-6), std::nullopt);
}

}  // namespace
}  // namespace thalweg
