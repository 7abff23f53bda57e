// rules: the register of the room props/linux.
#include "props/linux/rules.hpp"

#include <array>

namespace props::recorded {
namespace {

constexpr std::array register_{
    Rule{
        .id = "LINUX-ALIGNED",
        .layer = "linux",
        .sentence = "A block of 2^order pages begins at a frame number divisible by 2^order.",
        .statement = "forall mm_page_alloc(pfn, order) with a page: pfn mod 2^order = 0",
        .why = "Merging finds the buddy of a block by flipping one bit of its frame number, and "
               "huge mappings and DMA rely on the alignment.",
        .source = "Linux include/trace/events/kmem.h, mm_page_alloc; mm/page_alloc.c, "
                  "__free_one_page",
        .cost = Cost::constant,
        .scope = Scope::recorded,
    },
    Rule{
        .id = "LINUX-DISJOINT",
        .layer = "linux",
        .sentence = "A page that is handed out is not handed out again before it is freed.",
        .statement = "forall mm_page_alloc(pfn, order) with a page, forall q in [pfn, pfn + "
                     "2^order): no earlier mm_page_alloc covers q without a free of q, or a lost "
                     "event, between the two",
        .why = "Two owners write to the same page: silent corruption of memory.",
        .source = "Linux include/trace/events/kmem.h, mm_page_alloc, mm_page_free, "
                  "mm_page_free_batched",
        .cost = Cost::logarithmic,
        .scope = Scope::recorded,
    },
};

}  // namespace

std::span<const Rule> rules() { return register_; }
const Rule& aligned_rule() { return register_[0]; }
const Rule& disjoint_rule() { return register_[1]; }

}  // namespace props::recorded
