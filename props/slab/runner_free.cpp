// The operations that give objects back, rightly and wrongly, and those that write where they must
// not.
#include <fmt/format.h>

#include <algorithm>

#include "props/slab/runner.hpp"

namespace props::slab {

using namespace ref::core;
using ref::slab::Address;
using Kind = Answer::Kind;

namespace {

Pfn frame_of(const Config& c, std::uint64_t address) {
  return static_cast<Pfn>((address - page_offset) / c.page_bytes);
}

}  // namespace

HeldObject* Runner::owner_of(std::uint64_t address) {
  for (HeldObject& o : w_.objects_)
    if (o.live && o.address == address) return &o;
  return nullptr;
}

// The caller's part: what he was given is whole, and as constructed. An interrupt of the call may
// already be given it.
void Runner::before_free(HeldObject& o) {
  if (o.ctor != 0) construct(m_, o.ram, o.bytes, o.ctor);
  o.live = false;
  w_.ledger_.released(o.address);
}

Answer Runner::give_back_owned(HeldObject& o) {
  if (!w_.check_contents(o)) return {};
  const HeldObject was = o;
  before_free(o);
  const Counts before = w_.judging_.reach ? counts(was.cache) : Counts{};
  std::optional<Model> model = model_of(was.cache);
  ref::slab::kmem_cache_free(w_, m_, was.cache, Address{was.address});
  if (w_.broken()) return {};
  if (w_.judging_.reach) count_free(was.cache, before);
  fault_is(was.overrun ? Fault::overwritten : Fault::none);
  const Address freed{was.address};
  if (model) agree(model->freed(m_, std::span(&freed, 1)));
  return answer_of_fault();
}

// Any address, to any cache: what is right about it is decided here, by the registers alone.
Answer Runner::give_back(std::uint64_t address, CacheId cache, Faults misuse) {
  HeldObject* owner = owner_of(address);
  if (owner != nullptr && owner->cache == cache) return give_back_owned(*owner);
  ref::slab::kmem_cache_free(w_, m_, cache, Address{address});
  if (w_.broken()) return {};
  const bool gone = names_nothing(cache);
  const Fault must = owner != nullptr ? Fault::wrong_cache : *misuse.begin();
  if (gone) fault_is(Fault::no_such_cache, {must});
  else if (owner != nullptr) fault_is(must);
  else fault_is(must, misuse);
  if (!w_.broken() && m_.globals().log.effect != Effect::none)
    w_.break_rule("OBJECT-FAULT", "a fault of no effect",
                  std::string(effect_names[static_cast<std::size_t>(m_.globals().log.effect)]));
  return answer_of_fault();
}

Answer Runner::operator()(const CacheFree& op) {
  HeldObject* o = live(op.object);
  if (o == nullptr || !w_.up()) return skipped();
  return give_back_owned(*o);
}

Answer Runner::operator()(const FreeStaleObject& op) {
  const HeldObject& o = w_.objects_[op.object.value];
  if (o.live || o.address == 0) return skipped();
  return give_back(o.address, o.cache,
                   {Fault::double_free, Fault::not_an_object, Fault::wrong_cache});
}

Answer Runner::operator()(const FreeToWrongCache& op) {
  HeldObject* o = live(op.object);
  const HeldCache& c = w_.caches_[op.cache.value];
  if (o == nullptr || c.state == CacheHeld::empty || c.state == CacheHeld::leaving)
    return skipped();
  return give_back(o->address, c.id, {Fault::wrong_cache});
}

Answer Runner::operator()(const FreeInterior& op) {
  HeldObject* o = live(op.object);
  if (o == nullptr || op.offset.value == 0 || op.offset.value >= o->bytes) return skipped();
  return give_back(o->address + op.offset.value, o->cache, {Fault::not_an_object});
}

Answer Runner::operator()(const CacheFreeBulk& op) {
  HeldObject* first = live(op.first);
  if (first == nullptr || op.first.value + op.count.value > ObjectRegister::count) return skipped();
  const CacheId cache = first->cache;
  std::vector<Address> addresses;
  bool overrun = false;
  for (std::size_t i = 0; i < op.count.value; ++i) {
    HeldObject& o = w_.objects_[op.first.value + i];
    if (!o.live || o.cache != cache) continue;
    if (!w_.check_contents(o)) return {};
    overrun |= o.overrun;
    addresses.push_back(Address{o.address});
    before_free(o);
  }
  std::optional<Model> model = model_of(cache);
  ref::slab::kmem_cache_free_bulk(w_, m_, cache, addresses);
  if (w_.broken()) return {};
  fault_is(overrun ? Fault::overwritten : Fault::none);
  if (model) agree(model->freed(m_, addresses));
  return answer_of_fault();
}

// --- writing where nobody may -----------------------------------------------------------------

// One byte of the red zone behind the object, changed for certain.
Answer Runner::operator()(const Overrun& op) {
  HeldObject* o = live(op.object);
  if (o == nullptr || o->overrun) return skipped();
  const ref::slab::Cache& c = cache_of(o->cache);
  if (!(c.flags & ref::slab::SLAB_RED_ZONE)) return skipped();
  const Bytes word = m_.profile().word_bytes;
  const Bytes zone = c.flags & ref::slab::SLAB_STORE_USER ? 2 * word : word;
  const std::uint64_t at = o->ram - c.obj_offset + c.size - zone + op.offset.value % word;
  if (at < o->ram + o->usable) return skipped();
  std::byte& byte = m_.arena.edit_bytes(m_.ram, at, 1)[0];
  byte ^= std::byte{0xff};
  o->overrun = w_.overwrote_ = true;
  return {};
}

// A slab that went, and came again, is poisoned anew.
void Runner::forget_repaired() {
  std::erase_if(w_.written_after_free_, [&](const auto& written) {
    const auto at = ref::slab::object_at(m_, Address{written.address});
    const bool there = at && !at->live && at->cache == written.cache &&
                       at->first == Address{written.address} &&
                       (cache_of(at->cache).flags & ref::slab::SLAB_POISON);
    return !there || m_.arena.bytes(m_.ram, written.ram, 1)[0] != written.value;
  });
}

// One byte of a poisoned object that nobody has, changed for certain.
Answer Runner::operator()(const WriteAfterFree& op) {
  const HeldObject& o = w_.objects_[op.object.value];
  if (o.live || o.address == 0 || o.bytes == 0 || w_.inside_) return skipped();
  const auto at = ref::slab::object_at(m_, Address{o.address});
  if (!at || at->live || at->first != Address{o.address} || at->cache != o.cache) return skipped();
  const ref::slab::Cache& c = cache_of(o.cache);
  if (!(c.flags & ref::slab::SLAB_POISON)) return skipped();
  const Pfn pfn = frame_of(m_.config, o.address);
  const Index page =
      ref::buddy::page_index(ref::buddy::zone_at(m_, ref::buddy::zone_of_pfn(m_, pfn)), pfn);
  const ref::slab::Slab& slab = m_.arena.at(m_.slab.slab, m_.arena.at(m_.slab.slab, page).head - 1);
  // Free indices may stand in a free object; who writes there ends the machine, and tests nothing.
  if (c.flags & ref::slab::CFLGS_OBJFREELIST_SLAB || slab.rcu) return skipped();
  forget_repaired();
  if (std::ranges::any_of(w_.written_after_free_,
                          [&](const auto& written) { return written.address == o.address; }))
    return skipped();
  const std::uint64_t ram = o.ram + op.offset.value % o.bytes;
  std::byte& byte = m_.arena.edit_bytes(m_.ram, ram, 1)[0];
  byte ^= std::byte{0xff};
  w_.written_after_free_.push_back({o.address, ram, o.cache, byte});
  w_.overwrote_ = true;
  return {};
}

}  // namespace props::slab
