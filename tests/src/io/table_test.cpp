#include "io/table.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <sstream>

#include "distributed/error.hpp"
#include "io/text_file.hpp"

namespace thalweg {
namespace {

using testing::HasSubstr;

struct File : testing::Test {
  std::string path = testing::TempDir() + "table_test.tsv";
  ~File() override { std::remove(path.c_str()); }

  TextTable read(const std::string& text) const {
    write_text_file(path, text);
    return read_tsv(path);
  }
  std::string error_of(const std::string& text) const {
    try {
      read(text);
    } catch (const DataError& error) {
      return error.what();
    }
    return "no error";
  }
};

TEST(Table, WritesTheShortestNumbersThatReadBack) {
  Table table({"x"});
  const std::vector<double> values{0.1, 1.0 / 3.0, 12, 1e300, 5e-324, 0.1 + 0.2, std::nextafter(1.0, 2.0), -1e-7};
  for (const double value : values) table.add_row({value});
  table.add_row({-std::numeric_limits<double>::infinity()});
  std::istringstream lines(table.to_tsv());
  std::string line;
  std::getline(lines, line);
  for (const double value : values) {
    std::getline(lines, line);
    EXPECT_EQ(std::strtod(line.c_str(), nullptr), value) << line;
    EXPECT_LE(line.size(), 23u) << line;
  }
  std::getline(lines, line);
  EXPECT_EQ(line, "-inf");
}

TEST(Table, WritesCellsOfEveryKind) {
  Table table({"id", "mass", "count", "converged", "note"});
  table.add_row({std::string("a"), 0.5, std::int64_t{1} << 62, true, std::string("é")});
  table.add_row({std::string("b"), std::nan(""), std::monostate{}, false, std::string()});
  EXPECT_EQ(table.to_tsv(), "id\tmass\tcount\tconverged\tnote\na\t0.5\t4611686018427387904\tTrue\té\nb\t\t\tFalse\t\n");
}

TEST(Table, QuotesWhatWouldBreakTheLine) {
  Table table({"a", "b"});
  table.add_row({std::string("x\ty"), std::string("say \"so\"\n")});
  EXPECT_EQ(table.to_tsv(), "a\tb\n\"x\ty\"\t\"say \"\"so\"\"\n\"\n");
}

TEST(Table, KeepsARowWhoseOnlyCellIsMissing) {
  Table table({"a"});
  table.add_row({std::monostate{}});
  EXPECT_EQ(table.to_tsv(), "a\n\"\"\n");
}

TEST(Table, RefusesWrongColumnsAndRows) {
  EXPECT_THROW(Table({"a", "a"}), DataError);
  EXPECT_THROW(Table({"a", ""}), DataError);
  EXPECT_THROW(Table(std::vector<std::string>{}), DataError);
  Table table({"a", "b"});
  EXPECT_THROW(table.add_row({1.0}), DataError);
}

TEST_F(File, ReadsBackWhatWasWritten) {
  Table table({"id", "value"});
  table.add_row({std::string("tab\there"), 0.1});
  table.add_row({std::string("\"quoted\"\r\nline"), std::monostate{}});
  table.add_row({std::string(), -3.0});
  table.write(path);
  const TextTable text = read_tsv(path);
  EXPECT_EQ(text.columns, table.columns());
  ASSERT_EQ(text.rows.size(), 3u);
  EXPECT_EQ(text.rows[0], (std::vector<std::string>{"tab\there", "0.1"}));
  EXPECT_EQ(text.rows[1], (std::vector<std::string>{"\"quoted\"\r\nline", ""}));
  EXPECT_EQ(text.rows[2], (std::vector<std::string>{"", "-3"}));
  EXPECT_EQ(text.lines, (std::vector<std::int64_t>{2, 3, 5}));
}

TEST_F(File, AcceptsForeignLineEndsMarksAndEmptyLines) {
  const TextTable table = read("\xEF\xBB\xBFid\tx\r\na\t1\r\n\r\nb\t");
  EXPECT_EQ(table.columns, (std::vector<std::string>{"id", "x"}));
  ASSERT_EQ(table.rows.size(), 2u);
  EXPECT_EQ(table.number(0, table.column("x")), 1.0);
  EXPECT_TRUE(std::isnan(table.number(1, 1)));
  EXPECT_EQ(table.lines[1], 4);
  EXPECT_EQ(read("a\n\"\"\n").rows.size(), 1u);
  EXPECT_EQ(read("a\tb\n").rows.size(), 0u);
}

TEST_F(File, NamesFileAndLineOfAFault) {
  EXPECT_THAT(error_of("a\tb\n1\t2\n3\n"), HasSubstr(path + ":3: 1 cells where the header has 2"));
  EXPECT_THAT(error_of("a\ta\n"), HasSubstr(path + ":1: column 'a' occurs twice"));
  EXPECT_THAT(error_of("a\t\n"), HasSubstr(":1: column 2 has no name"));
  EXPECT_THAT(error_of(""), HasSubstr(":1: the file is empty"));
  EXPECT_THAT(error_of("a\n1\n\"open\n"), HasSubstr(":3: a quote is not closed"));
  EXPECT_THAT(error_of("a\n\"x\"y\n"), HasSubstr(":2: text after a closing quote"));
}

TEST_F(File, NamesTheColumnsThereAreAndTheCellThatIsNoNumber) {
  const TextTable table = read("day\tmass\n1\tmany\n");
  EXPECT_TRUE(table.has_column("day"));
  EXPECT_FALSE(table.has_column("time"));
  try {
    table.column("time");
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr("column 'time' not found in " + path + "; available: day, mass"));
  }
  try {
    table.number(0, 1);
    FAIL();
  } catch (const DataError& error) {
    EXPECT_THAT(error.what(), HasSubstr(path + ":2: 'many' in column 'mass' is not a finite number"));
  }
}

TEST(ReadTsv, SaysThatAFileIsMissing) { EXPECT_THROW(read_tsv("/nonexistent/table.tsv"), DataError); }

}  // namespace
}  // namespace thalweg
