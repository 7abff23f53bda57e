// xz: opens a recording as a stream of bytes, plain or compressed; the first bytes decide which.
//
//   "FD 37 7A 58 5A 00"  -> decompressed while it is read, never as a whole
//   a foreign magic      -> refused, and named (gzip, zstd, bzip2)
//   anything else        -> as it is; whether it is tracefs text is for the judge to say
#pragma once
#include <memory>
#include <string>

#include "props/linux/lines.hpp"

namespace props::recorded {

// Opens the file, or standard input for "-".
std::expected<std::unique_ptr<ByteSource>, Problem> open_recording(const std::string& file);

// The same for bytes from elsewhere.
std::expected<std::unique_ptr<ByteSource>, Problem> open_recording(
    std::unique_ptr<ByteSource> bytes);

}  // namespace props::recorded
