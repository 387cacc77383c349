// Files as they are written and read: compressed or not, whole or damaged.
#include <gmock/gmock.h>
#include <rapidcheck/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "moving/input.hpp"
#include "moving/output.hpp"
#include "moving/progress.hpp"
#include "wire_support.hpp"

namespace raceway::server::moving::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

/// A folder that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("rwm-" + std::to_string(::getpid()) + "-" + std::to_string(next_++))) {
    fs::create_directory(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string file(const std::string& name) const { return path_ / name; }

 private:
  static inline int next_ = 0;
  fs::path path_;
};

void put(const std::string& file, std::string_view bytes) {
  std::ofstream(file, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

std::string bytes_of(const std::string& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

struct WhatWasRead {
  std::string text;
  std::string damage;
};

WhatWasRead read_all(const std::string& file) {
  Input input(file);
  WhatWasRead all;
  std::string piece;
  while (input.read(piece)) all.text += piece;
  all.damage = input.damage().value_or("");
  return all;
}

std::string gzipped(const Folder& folder, std::string_view text) {
  Output output(folder.file("gz"), true);
  output.write(text);
  output.finish();
  return bytes_of(folder.file("gz"));
}

std::string long_text() {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += std::to_string(i * 7919) + (i % 10 == 0 ? "\n" : " ");
  return text;
}

TEST(AFile, AppearsOnlyWhenItIsWhole) {
  const Folder folder;
  put(folder.file("a"), "before");
  {
    Output output(folder.file("a"), false);
    output.write(std::string(1'000'000, 'x'));
  }
  EXPECT_EQ(bytes_of(folder.file("a")), "before");
  Output output(folder.file("a"), false);
  output.write("after");
  output.finish();
  EXPECT_EQ(bytes_of(folder.file("a")), "after");
  EXPECT_EQ(std::distance(fs::directory_iterator(fs::path(folder.file("a")).parent_path()), {}), 1);
}

TEST(AFile, ThatCannotBeWrittenOrReadIsNamed) {
  EXPECT_THROW(Output("/nowhere/a", false), std::runtime_error);
  EXPECT_THROW(Input("/nowhere/a"), std::runtime_error);
  EXPECT_THROW(Input("/"), std::runtime_error);
  Output full("/dev/full", false);
  full.write("x");
  EXPECT_THROW(full.finish(), std::runtime_error);
}

TEST(ACompressedFile, IsToldByItsFirstBytes) {
  const Folder folder;
  const auto text = long_text();
  const auto packed = gzipped(folder, text);
  EXPECT_LT(packed.size(), text.size() / 2);
  put(folder.file("named.json"), packed);
  EXPECT_EQ(read_all(folder.file("named.json")).text, text);
  put(folder.file("plain.gz"), text);
  EXPECT_EQ(read_all(folder.file("plain.gz")).text, text);
}

TEST(ACompressedFile, MayHaveSeveralMembersAndZerosBehind) {
  const Folder folder;
  put(folder.file("a"), gzipped(folder, "one ") + gzipped(folder, "two") + std::string(600, '\0'));
  const auto all = read_all(folder.file("a"));
  EXPECT_EQ(all.text, "one two");
  EXPECT_EQ(all.damage, "");
}

TEST(ACompressedFile, ThatIsCutOffGivesWhatItHoldsAndSaysWhere) {
  const Folder folder;
  const auto text = long_text();
  const auto packed = gzipped(folder, text);
  for (const std::size_t size : {2UL, 11UL, packed.size() / 2, packed.size() - 9, packed.size() - 1}) {
    put(folder.file("a"), packed.substr(0, size));
    const auto all = read_all(folder.file("a"));
    EXPECT_TRUE(text.starts_with(all.text));
    EXPECT_THAT(all.damage, HasSubstr("cut off near byte " + std::to_string(size)));
  }
}

TEST(ACompressedFile, ThatIsDamagedSaysSo) {
  const Folder folder;
  auto packed = gzipped(folder, long_text());
  packed[packed.size() - 6] = static_cast<char>(packed[packed.size() - 6] ^ 1);  // of the checksum
  put(folder.file("a"), packed);
  const auto all = read_all(folder.file("a"));
  EXPECT_EQ(all.text, long_text());
  EXPECT_THAT(all.damage, HasSubstr("is damaged near byte"));
  put(folder.file("a"), gzipped(folder, "x") + "garbage");
  EXPECT_THAT(read_all(folder.file("a")).damage, HasSubstr("is damaged"));
}

TEST(AnEmptyFile, HoldsNothing) {
  const Folder folder;
  put(folder.file("a"), "");
  EXPECT_EQ(read_all(folder.file("a")).text, "");
  put(folder.file("a"), "x");
  EXPECT_EQ(read_all(folder.file("a")).text, "x");
}

RC_GTEST_PROP(AnyPieces, ComeBackFromACompressedFile, ()) {
  const Folder folder;
  wire::test::Dice dice;
  std::string text;
  Output output(folder.file("a"), true);
  for (int i = dice.between(0, 20); i > 0; --i) {
    const std::string piece(static_cast<std::size_t>(dice.between(0, 60'000)), static_cast<char>(dice.between(0, 255)));
    output.write(piece);
    text += piece;
  }
  output.finish();
  RC_ASSERT(read_all(folder.file("a")).text == text);
}

TEST(TheProgressLine, ShowsABarWhereItIsKnownHowMuchThereIs) {
  EXPECT_EQ(progress_line({.events = 100, .done_bytes = 5, .all_bytes = std::nullopt}, 2), "100 events, 50/s");
  EXPECT_EQ(progress_line({.events = 100, .done_bytes = 50, .all_bytes = 100}, 2),
            "[===============               ]  50 %  100 events, 50/s, 2 s left");
  EXPECT_EQ(progress_line({.events = 0, .done_bytes = 0, .all_bytes = 0}, 0), "0 events, 0/s");
}

}  // namespace
}  // namespace raceway::server::moving::test
