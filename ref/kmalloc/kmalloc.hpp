// kmalloc: memory by size, from the general caches, and from pages above them.
//
//   kmalloc(100) ─▶ class 128 (smallest that fits) ─▶ slab
//   kmalloc(9000), 6.1 ─▶ 4 pages, compound        2.6.11: class 16384, up to 128 KiB
//
// The row has no state of its own: its machine is slab's. Pointers are kernel addresses; null is
// NULL, and zero_size_ptr what 6.1 answers for nothing.
#pragma once
#include "ref/slab/slab.hpp"

namespace ref::kmalloc {

using core::Env;
using core::Gfp;
using slab::Address;
using slab::Answer;
using slab::Refused;
using Machine = slab::Machine;

constexpr Address zero_size_ptr{16};

// The largest size that may be asked for (K-5).
std::uint64_t kmalloc_max_size(const core::Config&);

// Of each: an address; zero_size_ptr (6.1, K-1); refused; suspended.
[[nodiscard]] Answer<Address> kmalloc(Env&, Machine&, std::uint64_t size, Gfp);
[[nodiscard]] Answer<Address> kmalloc_node(Env&, Machine&, std::uint64_t size, Gfp,
                                           std::uint32_t node);
[[nodiscard]] Answer<Address> kzalloc(Env&, Machine&, std::uint64_t size, Gfp);
[[nodiscard]] Answer<Address> kmalloc_array(Env&, Machine&, std::uint64_t n, std::uint64_t size,
                                            Gfp);
[[nodiscard]] Answer<Address> kcalloc(Env&, Machine&, std::uint64_t n, std::uint64_t size, Gfp);
[[nodiscard]] Answer<Address> krealloc(Env&, Machine&, Address, std::uint64_t size, Gfp);  // K-10
[[nodiscard]] Answer<Address> krealloc_array(Env&, Machine&, Address, std::uint64_t n,
                                             std::uint64_t size, Gfp);
void kfree(Env&, Machine&, Address);  // misuse is in the machine's log
void kfree_sensitive(Env&, Machine&, Address);
void kfree_bulk(Env&, Machine&, std::span<const Address>);
std::uint64_t ksize(Machine&, Address);
std::uint64_t kmalloc_size_roundup(const Machine&, std::uint64_t size);

}  // namespace ref::kmalloc
