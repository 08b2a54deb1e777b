#include "io/mesh_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>

#include "distributed/error.hpp"
#include "io/npz_file.hpp"
#include "io/off_file.hpp"
#include "io/ply_file.hpp"
#include "io/text_file.hpp"
#include "test_paths.hpp"

namespace thalweg {
namespace {

using ::testing::HasSubstr;

const std::string arrays = test_data() + "/surface.npz";

template <class Action>
std::string message_of(const Action& action) {
  try {
    action();
  } catch (const DataError& error) {
    return error.what();
  }
  return "no error";
}

class MeshFile : public ::testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string written(const std::string& name, const std::string& text) const {
    write_text_file(folder_ + "/" + name, text);
    return folder_ + "/" + name;
  }
  TriangleMesh read(const std::string& path, const std::string& vertices = "", const std::string& faces = "") const {
    return read_mesh(*comm_, {path, vertices, faces, "source"});
  }

  std::unique_ptr<Communicator> comm_ = make_self_communicator();
  std::string folder_ = ::testing::TempDir() + "/mesh_file_test";
};

void expect_same(const TriangleMesh& a, const TriangleMesh& b) {
  EXPECT_EQ(a.vertices, b.vertices);
  EXPECT_EQ(a.triangles, b.triangles);
}

/// The surface of the golden file.
TriangleMesh expected() {
  TriangleMesh mesh;
  mesh.vertices = {{0, 0, 0}, {1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 1, 1.5}};
  mesh.triangles = {{0, 2, 1}, {0, 1, 3}, {0, 3, 2}, {1, 2, 4}, {2, 3, 4}, {3, 1, 4}};
  return mesh;
}

const std::string off_text =
    "OFF\n# a comment\n5 6 0\n0 0 0\n1 0 0 # red\n0 1 0\r\n\n0 0 1\n1 1 1.5\n3 0 2 1 255 0 0\n3 0 1 3\n3 0 3 2\n3 1 2 "
    "4\n3 2 3 4\n3 3 1 4\n";

std::string ply_text() {
  return "ply\nformat ascii 1.0\ncomment made by hand\nelement vertex 5\nproperty float x\nproperty float y\nproperty "
         "float z\nproperty uchar red\n"
         "element face 6\nproperty list uchar int vertex_indices\nend_header\n0 0 0 9\n1 0 0 9\n0 1 0 9\n0 0 1 9\n1 1 "
         "1.5 9\n"
         "3 0 2 1\n3 0 1 3\n3 0 3 2\n3 1 2 4\n3 2 3 4\n3 3 1 4\n";
}

std::string ply_binary() {
  std::string bytes =
      "ply\nformat binary_little_endian 1.0\nelement camera 1\nproperty double angle\nproperty list ushort float "
      "lens\nelement vertex 5\n"
      "property double x\nproperty float quality\nproperty double y\nproperty double z\nelement face 6\nproperty uchar "
      "flags\n"
      "property list uchar uint vertex_index\nend_header\n";
  const auto put = [&](auto value) { bytes.append(reinterpret_cast<const char*>(&value), sizeof value); };
  put(1.5);
  put(std::uint16_t{2});
  put(1.0F);
  put(2.0F);
  const TriangleMesh mesh = expected();
  for (const auto& vertex : mesh.vertices) {
    put(vertex[0]);
    put(0.5F);
    put(vertex[1]);
    put(vertex[2]);
  }
  for (const auto& triangle : mesh.triangles) {
    put(std::uint8_t{7});
    put(std::uint8_t{3});
    for (const std::int32_t corner : triangle) put(static_cast<std::uint32_t>(corner));
  }
  return bytes;
}

TEST_F(MeshFile, ReadsEveryFormat) {
  expect_same(read(written("a.off", off_text)), expected());
  expect_same(read(written("a.ply", ply_text())), expected());
  expect_same(read(written("b.ply", ply_binary())), expected());
  for (const auto& [vertices, faces] : {std::pair{"V", "F"}, {"V64", "F64"}, {"V", "F16"}})
    expect_same(read(arrays, vertices, faces), expected());
}

TEST_F(MeshFile, KnowsSizesFromHeaders) {
  for (const std::string& path :
       {written("a.off", off_text), written("a.ply", ply_text()), written("b.ply", ply_binary()), arrays}) {
    const MeshSize size = read_mesh_size(*comm_, {path, "V", "F", "source"});
    EXPECT_EQ(size.vertices, 5) << path;
    EXPECT_EQ(size.triangles, 6) << path;
  }
}

TEST_F(MeshFile, ReadsArraysOfNumbers) {
  const NpzFile file(arrays);
  EXPECT_THAT(file.names(),
              ::testing::UnorderedElementsAre("V", "F", "V64", "F64", "F16", "map", "names", "flat", "real"));
  EXPECT_EQ(file.read("map", "x").values, (std::vector<double>{4, 3, 2, -1, 0}));
  EXPECT_TRUE(file.read("map", "x").is_integer);
  EXPECT_FALSE(file.read("V64", "x").is_integer);
  EXPECT_EQ(file.shape("V64", "x"), (std::vector<std::int64_t>{5, 3}));
}

TEST_F(MeshFile, SaysWhatIsWrongWithArrays) {
  EXPECT_THAT(message_of([&] { read(arrays, "W", "F"); }), HasSubstr("array 'W' named by source.key"));
  EXPECT_THAT(message_of([&] { read(arrays, "W", "F"); }), HasSubstr("F64"));
  EXPECT_THAT(message_of([&] { read(arrays, "V", ""); }), HasSubstr("source.faces"));
  EXPECT_THAT(message_of([&] { read(arrays, "flat", "F"); }), HasSubstr("'flat'"));
  EXPECT_THAT(message_of([&] { read(arrays, "V", "real"); }), HasSubstr("no integers"));
  EXPECT_THAT(message_of([&] { read(arrays, "V", "names"); }), HasSubstr("<U1"));
}

/// Cut anywhere, or with any byte changed, a file is refused or read as it was; it never does worse.
TEST_F(MeshFile, RefusesDamagedArchives) {
  const std::string bytes = read_text_file(arrays);
  EXPECT_THAT(message_of([&] { read(written("cut.npz", bytes.substr(0, bytes.size() / 2)), "V", "F"); }),
              HasSubstr("cut.npz"));
  EXPECT_THAT(message_of([&] { read(written("empty.npz", ""), "V", "F"); }), HasSubstr("no .npz archive"));
  std::size_t refused = 0;
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string changed = bytes;
    changed[at] = static_cast<char>(changed[at] ^ 0x5A);
    const std::string path = written("changed.npz", changed);
    try {
      expect_same(read(path, "V", "F"), expected());
    } catch (const DataError&) {
      ++refused;
    }
  }
  EXPECT_GT(refused, 20u);
}

TEST_F(MeshFile, NamesLineAndCauseInTexts) {
  const auto refused = [&](const std::string& name, std::string text, const std::string& from, const std::string& to) {
    text.replace(text.find(from), from.size(), to);
    return message_of([&] { read(written(name, text)); });
  };
  EXPECT_THAT(refused("a.off", off_text, "3 0 1 3", "4 0 1 3 2"), HasSubstr("a.off:11: a face has 4 corners"));
  EXPECT_THAT(refused("a.off", off_text, "0 0 1\n", "0 zero 1\n"), HasSubstr("a.off:8"));
  EXPECT_THAT(refused("a.off", off_text, "5 6 0", "5 7 0"), HasSubstr("ends early"));
  EXPECT_THAT(refused("a.off", off_text, "OFF", "STL"), HasSubstr("begins with 'STL'"));
  EXPECT_THAT(refused("a.off", off_text, "3 3 1 4", "3 3 1 5"), HasSubstr("triangle 5"));
  EXPECT_THAT(refused("a.off", off_text, "3 3 1 4", "3 3 1 -1"), HasSubstr("a.off:15"));
  EXPECT_THAT(refused("a.off", off_text, "1 1 1.5", "1 1 nan"), HasSubstr("vertex 4"));
  EXPECT_THAT(refused("a.ply", ply_text(), "ascii", "binary_big_endian"), HasSubstr("binary_little_endian"));
  EXPECT_THAT(refused("a.ply", ply_text(), "3 0 1 3", "4 0 1 3 2"), HasSubstr("face 1: it has 4 corners"));
  EXPECT_THAT(message_of([&] { read(written("cut.ply", ply_binary().substr(0, 420))); }), HasSubstr("ends early"));
  EXPECT_THAT(message_of([&] { read(written("a.stl", "solid")); }), HasSubstr(".off, .ply, .npz and .h5ad"));
}

TEST_F(MeshFile, RefusesVerticesWithoutTriangle) {
  EXPECT_THAT(message_of([&] { read(written("a.off", "OFF\n4 1 0\n0 0 0\n1 0 0\n0 1 0\n5 5 5\n3 0 1 2\n")); }),
              HasSubstr("vertex 3"));
  EXPECT_THAT(message_of([&] { read(written("a.off", "OFF\n1 0 0\n0 0 0\n")); }), HasSubstr("no triangles"));
}

}  // namespace
}  // namespace thalweg
