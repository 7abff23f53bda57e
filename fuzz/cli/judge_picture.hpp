// judge_picture: draws where a block or an object lies, and what it collides with.
//
//      line 49042  [########]  0x221a28..0x221a2f
//      line 48942  [.....#..]  0x221a2d
#pragma once
#include "props/linux/violation.hpp"

namespace cli {

// Prints the picture on stdout; nothing for a violation that has no shape.
void print_picture(const props::recorded::Violation& violation);

}  // namespace cli
