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
    Rule{
        .id = "LINUX-KMALLOC-CLASS",
        .layer = "linux",
        .sentence = "kmalloc takes the smallest class that fits, and above the classes the fewest "
                    "pages, a power of two of them.",
        .statement =
            "forall kmalloc(bytes_req, bytes_alloc) with an object: bytes_alloc = min {c in "
            "classes or a power of two above 8192: c >= bytes_req}",
        .why = "A larger slot is wasted memory, and hides writes behind the end of the object.",
        .source = "K-2, K-3, K-5; Linux include/linux/slab.h, __kmalloc_index",
        .cost = Cost::constant,
        .scope = Scope::recorded,
    },
    Rule{
        .id = "LINUX-OBJECT-ALIGNED",
        .layer = "linux",
        .sentence = "An object of kmalloc whose class is a power of two lies at a multiple of it.",
        .statement = "forall kmalloc(ptr, bytes_alloc) with an object, bytes_alloc = 2^n: ptr mod "
                     "bytes_alloc = 0",
        .why = "Drivers hand such objects to devices that need them whole in one page or line.",
        .source = "K-4; Linux Documentation/core-api/memory-allocation.rst",
        .cost = Cost::constant,
        .scope = Scope::recorded,
    },
    Rule{
        .id = "LINUX-OBJECT-OVERLAP",
        .layer = "linux",
        .sentence = "The slot of an object that is handed out overlaps no slot that is live.",
        .statement =
            "forall allocation(ptr, bytes_alloc), forall earlier allocation(p, b) with p != "
            "ptr that meets it: between the two a free of p, an allocation at p, an "
            "allocation or a page event that meets [p, p + b), or a lost event",
        .why = "Two owners write to the same bytes: silent corruption of memory.",
        .source = "Linux include/trace/events/kmem.h, kmalloc, kmem_cache_alloc, kfree, "
                  "kmem_cache_free",
        .cost = Cost::logarithmic,
        .scope = Scope::recorded,
    },
    Rule{
        .id = "LINUX-OBJECT-SIZE",
        .layer = "linux",
        .sentence = "The slot of an object has at least the bytes that were asked for.",
        .statement = "forall allocation(bytes_req, bytes_alloc) with an object: bytes_alloc >= "
                     "bytes_req",
        .why = "The owner writes behind the end of the slot, into the next one.",
        .source = "K-3; Linux include/trace/events/kmem.h, kmalloc, kmem_cache_alloc",
        .cost = Cost::constant,
        .scope = Scope::recorded,
    },
};

}  // namespace

std::span<const Rule> rules() { return register_; }
const Rule& aligned_rule() { return register_[0]; }
const Rule& disjoint_rule() { return register_[1]; }
const Rule& kmalloc_class_rule() { return register_[2]; }
const Rule& object_aligned_rule() { return register_[3]; }
const Rule& object_overlap_rule() { return register_[4]; }
const Rule& object_size_rule() { return register_[5]; }

}  // namespace props::recorded
