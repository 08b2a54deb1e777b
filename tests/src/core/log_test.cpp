#include "core/log.hpp"

#include <gmock/gmock.h>

#include "core/build_info.hpp"

namespace thalweg {
namespace {

template <class Action>
std::string written(Action&& action) {
  testing::internal::CaptureStderr();
  action();
  return testing::internal::GetCapturedStderr();
}

TEST(Log, PrefixesEveryLineOfAnError) {
  configure_log(true, Verbosity::normal);
  EXPECT_EQ(written([] { log_error("first\nsecond"); }), "error: first\nerror: second\n");
}

TEST(Log, QuietKeepsWarningsAndErrors) {
  configure_log(true, Verbosity::quiet);
  EXPECT_EQ(written([] { log_info("hidden"), log_warning("code", "text"); }), "warning: code: text\n");
  configure_log(true, Verbosity::normal);
  EXPECT_EQ(written([] { log_info("{} as it is"), log_detail("hidden"); }), "{} as it is\n");
  configure_log(true, Verbosity::verbose);
  EXPECT_EQ(written([] { log_detail("shown"); }), "shown\n");
}

TEST(Log, OtherRanksAreSilentButKeepTheirWarnings) {
  const std::size_t before = logged_warnings().size();
  configure_log(false, Verbosity::verbose);
  EXPECT_EQ(written([] { log_error("x"), log_warning("code", "kept"), log_info("x"); }), "");
  configure_log(true, Verbosity::normal);
  ASSERT_EQ(logged_warnings().size(), before + 1);
  EXPECT_EQ(logged_warnings().back().text, "kept");
}

TEST(Log, RunsTheActionBeforeEachLineThatIsWritten) {
  configure_log(true, Verbosity::normal);
  int count = 0;
  set_before_log_line([&] { ++count; });
  written([] { log_info("one"), log_detail("none"), log_error("two\nthree"); });
  set_before_log_line({});
  EXPECT_EQ(count, 3);
}

TEST(Log, TellsWarningsToTheirListener) {
  std::string seen;
  set_on_warning([&](const Warning& warning) { seen = warning.code; });
  written([] { log_warning("dropped_cells", "3 cells"); });
  set_on_warning({});
  EXPECT_EQ(seen, "dropped_cells");
}

TEST(BuildInfo, NamesVersionAndLibraries) {
  const BuildInfo info = build_info();
  for (const std::string& text : {info.version, info.git, info.compiler, info.flags, info.kokkos, info.mpi, info.hdf5})
    EXPECT_FALSE(text.empty());
}

}  // namespace
}  // namespace thalweg
