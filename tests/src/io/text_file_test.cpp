#include "io/text_file.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "distributed/error.hpp"
#include "distributed/unreadable_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

struct TextFile : testing::Test {
  std::string folder = testing::TempDir() + "text_file_" + std::to_string(::getpid());
  std::string path = folder + "/file.txt";
  TextFile() { std::filesystem::create_directories(folder); }
  ~TextFile() override { std::filesystem::remove_all(folder); }

  template <class Action>
  std::string error_of(Action&& action) const {
    try {
      action();
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST(UnreadableFile, IsTheJobsFaultOrTheMachines) {
  for (const int error : {ENOENT, ENOTDIR, EISDIR, EACCES, EPERM, ELOOP}) EXPECT_THROW(throw_unreadable("x", error), DataError);
  for (const int error : {EIO, EMFILE, ESTALE}) EXPECT_THROW(throw_unreadable("x", error), IoError);
  try {
    throw_unreadable("a/x.h5ad", EACCES);
  } catch (const DataError& error) {
    EXPECT_STREQ(error.what(), "cannot read a/x.h5ad: Permission denied; give the path of a readable file");
  }
}

TEST_F(TextFile, ReplacesTheOldFileAndLeavesNoTemporary) {
  write_text_file(path, "old");
  write_text_file(path, std::string_view("new\0\n", 5));
  EXPECT_EQ(read_text_file(path), std::string("new\0\n", 5));
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
  write_text_file(path, "");
  EXPECT_EQ(read_text_file(path), "");
}

TEST_F(TextFile, ReadsMoreThanOneBlock) {
  const std::string text(200001, 'x');
  write_text_file(path, text);
  EXPECT_EQ(read_text_file(path), text);
}

TEST_F(TextFile, KeepsTheOldFileWhenTheLimitIsReached) {
  write_text_file(path, "old");
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string error = error_of([&] { write_text_file(path, std::string(100000, 'x')); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_THAT(error, HasSubstr("cannot write " + path + ".tmp: File too large"));
  EXPECT_EQ(read_text_file(path), "old");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST_F(TextFile, MakesFileNamesOfAnyText) {
  EXPECT_EQ(as_file_name("12.5"), "12.5");
  EXPECT_EQ(as_file_name("../day 1/2"), "..%2Fday 1%2F2");
  EXPECT_EQ(as_file_name("5%\té"), "5%25%09é");
}

TEST_F(TextFile, NamesPathAndReason) {
  EXPECT_THAT(error_of([&] { write_text_file(folder + "/no/file", "x"); }),
              HasSubstr("cannot create " + folder + "/no/file.tmp: No such file or directory"));
  EXPECT_THAT(error_of([&] { read_text_file(path); }), HasSubstr("cannot read " + path + ": No such file"));
  EXPECT_THAT(error_of([&] { read_text_file(folder); }), HasSubstr("cannot read " + folder + ": Is a directory"));
  std::filesystem::create_directories(folder + "/taken/inner");
  EXPECT_THAT(error_of([&] { write_text_file(folder + "/taken", "x"); }), HasSubstr("Is a directory"));
  EXPECT_FALSE(std::filesystem::exists(folder + "/taken.tmp"));
}

TEST_F(TextFile, NamesAFolderWithoutPermission) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  std::filesystem::permissions(folder, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_THAT(error_of([&] { write_text_file(path, "x"); }), HasSubstr("Permission denied"));
  EXPECT_THAT(error_of([&] { make_directories(folder + "/below"); }), HasSubstr("Permission denied"));
  std::filesystem::permissions(folder, std::filesystem::perms::owner_all);
}

TEST_F(TextFile, MakesFoldersThatMayExist) {
  make_directories(folder + "/a/b");
  make_directories(folder + "/a/b");
  EXPECT_TRUE(std::filesystem::is_directory(folder + "/a/b"));
  write_text_file(path, "x");
  EXPECT_THAT(error_of([&] { make_directories(path + "/below"); }),
              HasSubstr("cannot make the folder " + path + "/below"));
  EXPECT_THAT(error_of([&] { make_directories(path); }), HasSubstr("cannot make the folder " + path));
}

}  // namespace
}  // namespace thalweg
