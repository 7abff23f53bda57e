// machine_line: the geometry of a trace, as text and as bytes.
//
//   machine era=linux-2.6.11 zones=DMA:16,NORMAL@32:64,HIGHMEM:32 cpus=2 reserved=0-1
//
// Keys may come in any order; printing uses one order and leaves out what has its default. A zone
// of node n is spelled NAME/n. Bytes are total: any bytes are some valid machine.
#pragma once
#include <expected>
#include <string>
#include <string_view>

#include "props/core/domain.hpp"
#include "props/core/operation.hpp"

namespace props {

// `text` is the line without the word "machine "; offsets in errors count from its start.
std::expected<ref::core::Config, TextError> parse_machine(std::string_view text);
std::string print_machine(const ref::core::Config&);  // without "machine "

void encode_machine(const ref::core::Config&, ByteWriter&);
ref::core::Config decode_machine(ByteReader&);

struct MachineKey {
  std::string_view name, help;
};
// The keys of the line, with what they mean; help and the language reference print them.
std::span<const MachineKey> machine_keys();

}  // namespace props
