// work_directory: a temporary directory that goes when we go.
#pragma once
#include <cstdlib>
#include <filesystem>
#include <string>

namespace fuzz {

class WorkDirectory {
 public:
  WorkDirectory() {
    std::string name = (std::filesystem::temp_directory_path() / "allocheck-XXXXXX").string();
    if (::mkdtemp(name.data()) != nullptr) path_ = name;
  }
  WorkDirectory(const WorkDirectory&) = delete;
  WorkDirectory& operator=(const WorkDirectory&) = delete;
  ~WorkDirectory() {
    std::error_code ignored;
    if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }  // "" when none could be made

 private:
  std::filesystem::path path_;
};

}  // namespace fuzz
