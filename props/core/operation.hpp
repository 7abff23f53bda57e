// operation: one description, many uses. A layer lists its operations once; codec, printer, parser
// and reference page derive from the list, here.
//
//   struct AllocPages {
//     PageRegister out; OrderArg order; GfpArg gfp;
//     static constexpr std::string_view name = "alloc_pages";
//     static constexpr std::uint8_t code = 1;                        stable for ever, 1 to 255
//     static constexpr std::string_view help = "...";
//     static void fields(auto& op, auto v) { v("", op.out), v("order", op.order), v("gfp", op.gfp);
//     }
//   };
//   using Operation = std::variant<AllocPages, ...>;
//
//   text    p0 = alloc_pages(order=3, gfp=GFP_KERNEL)      a field named "" is the result
//   bytes   01 00 03 ...                                   any bytes are some operation
//
// In bytes a code takes seven bits, for the eighth says that the step is armed. Codes from 128 on
// stand behind a byte that is no operation's code.
#pragma once
#include <array>
#include <optional>
#include <utility>
#include <variant>

#include "props/core/domain.hpp"

namespace props {

// Calls f with a default value of each alternative, until it answers true.
template <class Operation, class F, std::size_t i = 0>
bool any_alternative(F&& f) {
  if constexpr (i == std::variant_size_v<Operation>) return false;
  else
    return f(std::variant_alternative_t<i, Operation>{}) ||
           any_alternative<Operation, F, i + 1>(std::forward<F>(f));
}

constexpr std::uint8_t armed_bit = 0x80, long_code = 0x7f;

// The alternative's index for each code, or for an unused one some other's.
template <class Operation>
constexpr std::array<std::uint8_t, 256> code_table() {
  constexpr std::size_t n = std::variant_size_v<Operation>;
  std::array<std::uint8_t, 256> table{};
  for (std::size_t code = 0; code < table.size(); ++code)
    table[code] = static_cast<std::uint8_t>(code % n);
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((table[std::variant_alternative_t<i, Operation>::code] = static_cast<std::uint8_t>(i)), ...);
  }(std::make_index_sequence<n>{});
  return table;
}

// No two alternatives may share a code, and none may use 0 (padding) or the byte before long codes.
template <class Operation>
constexpr bool codes_are_distinct() {
  std::array<int, 256> seen{};
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    (++seen[std::variant_alternative_t<i, Operation>::code], ...);
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
  for (std::size_t code = 0; code < seen.size(); ++code)
    if (seen[code] > 1 || (seen[code] == 1 && (code == 0 || code == long_code))) return false;
  return true;
}

template <class Operation>
void encode_operation(const Operation& any, bool armed, ByteWriter& to, EraId era) {
  std::visit(
      [&](const auto& op) {
        constexpr bool is_long = std::remove_cvref_t<decltype(op)>::code >= armed_bit;
        to.byte((is_long ? long_code : op.code) | (armed ? armed_bit : 0u));
        if (is_long) to.byte(op.code);
        op.fields(op, [&](std::string_view, const auto& field) { field.encode(to, era); });
      },
      any);
}

// The first byte of the code was read already.
template <class Operation>
Operation decode_operation(std::uint8_t first, ByteReader& from, EraId era) {
  static constexpr auto table = code_table<Operation>();
  Operation any;
  const std::uint8_t code = first & static_cast<std::uint8_t>(~armed_bit);
  const std::size_t wanted = table[code == long_code ? from.byte() : code];
  [&]<std::size_t... i>(std::index_sequence<i...>) {
    ((i == wanted ? void(any.template emplace<i>()) : void()), ...);
  }(std::make_index_sequence<std::variant_size_v<Operation>>{});
  std::visit(
      [&](auto& op) {
        op.fields(op, [&]<class D>(std::string_view, D& field) { field = D::decode(from, era); });
      },
      any);
  return any;
}

template <class Operation>
std::string print_operation(const Operation& any, EraId era) {
  return std::visit(
      [&](const auto& op) {
        std::string result, inside;
        op.fields(op, [&](std::string_view key, const auto& field) {
          if (key.empty()) result = field.print(era) + " = ";
          else inside += (inside.empty() ? "" : ", ") + std::string(key) + "=" + field.print(era);
        });
        return result + std::string(op.name) + "(" + inside + ")";
      },
      any);
}

struct TextError {
  std::size_t at = 0;  // offset in the text
  std::string what, expected;
};

// Reads one operation. Strict: one spelling for each, the one that print_operation writes.
class OperationScanner {
 public:
  OperationScanner(std::string_view text, EraId era) : text_(text), era_(era) {}

  template <class Operation>
  std::expected<Operation, TextError> read() {
    split_result();
    const std::size_t open = text_.find('(', at_);
    if (open == text_.npos)
      return error(at_, "no operation stands here",
                   "an operation, as in p0 = alloc_page(gfp=GFP_KERNEL)");
    const std::string_view name = text_.substr(at_, open - at_);
    std::optional<std::expected<Operation, TextError>> found;
    any_alternative<Operation>([&](auto op) {
      if (op.name != name) return false;
      found = read_fields<Operation>(op, open + 1);
      return true;
    });
    if (found) return *found;
    return error(at_, "unknown operation '" + std::string(name) + "'",
                 "one that `allocheck show operations` lists");
  }

 private:
  // "p0 = " in front: remembered, and read when the operation's fields are known.
  void split_result() {
    const std::size_t open = text_.find('(');
    const std::size_t equals = text_.substr(0, open).find(" = ");
    if (equals == text_.npos) return;
    result_ = text_.substr(0, equals);
    at_ = equals + 3;
  }
  std::unexpected<TextError> error(std::size_t at, std::string what, std::string expected) const {
    return std::unexpected(TextError{at, std::move(what), std::move(expected)});
  }

  template <class Operation, class Op>
  std::expected<Operation, TextError> read_fields(Op op, std::size_t at) {
    std::optional<TextError> bad;
    bool has_result = false, first = true;
    op.fields(op, [&](std::string_view key, auto& field) {
      if (bad) return;
      if (key.empty()) {
        has_result = true;
        bad = read_result(field);
      } else {
        bad = read_field(key, field, at, first);
        first = false;
      }
    });
    if (bad) return std::unexpected(*bad);
    if (result_ && !has_result)
      return error(0, std::string(Op::name) + " has no result", "no register in front");
    if (text_.substr(at) != ")")
      return error(at, "'" + std::string(text_.substr(at)) + "' stands behind the last argument",
                   "')' and the end of the line");
    return Operation{op};
  }

  template <class D>
  std::optional<TextError> read_result(D& field) {
    if (!result_)
      return TextError{0, "the result goes nowhere", "a register in front, as in p0 = "};
    auto value = D::parse(*result_, era_);
    if (!value) return TextError{0, "bad register '" + std::string(*result_) + "'", value.error()};
    field = *value;
    return std::nullopt;
  }

  template <class D>
  std::optional<TextError> read_field(std::string_view key, D& field, std::size_t& at, bool first) {
    const std::string lead = (first ? "" : ", ") + std::string(key) + "=";
    if (!text_.substr(at).starts_with(lead)) {
      const std::string_view rest = text_.substr(at, 20);
      return TextError{
          at, rest.empty() ? "the line ends here" : "unexpected '" + std::string(rest) + "'",
          "'" + lead + "'"};
    }
    at += lead.size();
    const std::size_t end = std::min(text_.find_first_of(",)", at), text_.size());
    const std::string_view word = text_.substr(at, end - at);
    auto value = D::parse(word, era_);
    if (!value)
      return TextError{at, "bad " + std::string(key) + " '" + std::string(word) + "'",
                       value.error()};
    field = *value;
    at = end;
    return std::nullopt;
  }

  std::string_view text_;
  EraId era_;
  std::size_t at_ = 0;
  std::optional<std::string_view> result_;
};

}  // namespace props

// Operations of the usual shapes, by the names in code and in text, the code and the help.

// Without arguments.
#define ALLOCHECK_PLAIN(Struct, word, number, text) \
  struct Struct {                                   \
    static constexpr std::string_view name = word;  \
    static constexpr std::uint8_t code = number;    \
    static constexpr std::string_view help = text;  \
    static void fields(auto&, auto) {}              \
  }

// With one argument, a register mostly.
#define ALLOCHECK_ON(Domain, field, Struct, word, number, text)   \
  struct Struct {                                                 \
    Domain field;                                                 \
    static constexpr std::string_view name = word;                \
    static constexpr std::uint8_t code = number;                  \
    static constexpr std::string_view help = text;                \
    static void fields(auto& op, auto v) { v(#field, op.field); } \
  }
