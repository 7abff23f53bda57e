// page_tests: a page that is made of a table must stand in the tree as the table says.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace props {

// `page` is a path from the root of the source. A failure tells how to renew it.
inline void expect_committed(const std::string& page, const std::string& text) {
  const auto committed = std::filesystem::path(ALLOCHECK_SOURCE_DIR) / page;
  std::ifstream in(committed);
  const std::string stands{std::istreambuf_iterator<char>(in), {}};
  if (stands == text) return;
  std::string name = page;
  std::ranges::replace(name, '/', '-');
  const auto renewed = std::filesystem::path(::testing::TempDir()) / name;
  std::ofstream(renewed) << text;
  ADD_FAILURE() << "the table changed; renew the page with\n  cp " << renewed.string() << ' '
                << committed.string();
}

}  // namespace props
