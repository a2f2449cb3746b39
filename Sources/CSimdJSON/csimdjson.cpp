// Tokens by simdjson, grammar here. simdjson's first stage finds every structural character and the start of every
// scalar, and checks UTF-8 and strings; its number and string readers give the values. Neither of its own second
// stages fits: both end at the first bad scalar, and ours must be able to name it and accept the elements behind it.

#define SIMDJSON_EXCEPTIONS 0
#include "include/csimdjson.h"

#include <simdjson.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

constexpr size_t padding = simdjson::SIMDJSON_PADDING + 64;
constexpr uint32_t deepest = 64;

struct free_memory {
    void operator()(void *memory) const { std::free(memory); }
};
template <typename T> using buffer = std::unique_ptr<T[], free_memory>;

/// Where simdjson's number reader puts what it read.
struct number_sink {
    csj_token *token;
    void append_s64(int64_t value) {
        token->kind = csj_integer;
        token->value.integer = value;
    }
    void append_u64(uint64_t value) { append_double(double(value)); }
    void append_double(double value) {
        token->kind = csj_number;
        token->value.number = value;
    }
    void skip_double() {}
};

bool is_white(uint8_t byte) { return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t'; }
bool is_digit(uint8_t byte) { return uint8_t(byte - '0') < 10; }

/// -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?
bool is_number(const uint8_t *text, const uint8_t *end) {
    auto digits = [&] {
        const uint8_t *first = text;
        while (text < end && is_digit(*text)) ++text;
        return text - first;
    };
    if (text < end && *text == '-') ++text;
    const uint8_t *first = text;
    auto whole = digits();
    if (whole == 0 || (*first == '0' && whole > 1)) return false;
    if (text < end && *text == '.') {
        ++text;
        if (digits() == 0) return false;
    }
    if (text < end && (*text == 'e' || *text == 'E')) {
        ++text;
        if (text < end && (*text == '+' || *text == '-')) ++text;
        if (digits() == 0) return false;
    }
    return text == end;
}

/// Integers beyond 64 bits, which simdjson refuses.
bool parse_long_number(const uint8_t *text, const uint8_t *end, double *number) {
    if (!is_number(text, end)) return false;
    auto result = std::from_chars(reinterpret_cast<const char *>(text), reinterpret_cast<const char *>(end), *number);
    return result.ec == std::errc() && result.ptr == reinterpret_cast<const char *>(end);
}

constexpr uint64_t every(uint8_t byte) { return 0x0101010101010101ull * byte; }

/// Reads up to eight characters at once, digits with at most one point between them: nearly every number of telemetry.
/// The quotient of two whole numbers that a double holds exactly is rounded once, so right.
/// @return false for anything else, right or wrong
bool read_short_number(const uint8_t *text, const uint8_t *end, csj_token *token) {
    if (__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__) return false;
    bool negative = *text == '-';
    text += negative;
    size_t count = size_t(end - text);
    if (count == 0 || count > 8) return false;
    uint64_t word;
    std::memcpy(&word, text, 8);
    uint64_t difference = word ^ every('.');
    uint64_t points = (difference - every(1)) & ~difference & every(0x80) & (~0ull >> (64 - 8 * count));
    size_t decimals = 0;
    if (points != 0) {
        size_t whole = size_t(__builtin_ctzll(points)) / 8;
        --count;
        decimals = count - whole;
        if (whole == 0 || decimals == 0) return false;
        uint64_t before = (1ull << (8 * whole)) - 1;
        word = (word & before) | ((word >> 8) & ~before);
    }
    if (uint8_t(word) == '0' && count - decimals > 1) return false;
    word = word << (64 - 8 * count) | (count == 8 ? 0 : every('0') >> (8 * count));
    if (((word + every(0x7f - '9')) | (word - every('0'))) & every(0x80)) return false;
    word -= every('0');
    word = word * 10 + (word >> 8);
    constexpr uint64_t pairs = 0x000000ff000000ffull;
    word = ((word & pairs) * (100 + (1000000ull << 32)) + ((word >> 16) & pairs) * (1 + (10000ull << 32))) >> 32;
    int64_t digits = negative ? -int64_t(uint32_t(word)) : int64_t(uint32_t(word));
    static const double powers[] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
    if (points == 0) {
        token->kind = csj_integer;
        token->value.integer = digits;
    } else {
        token->kind = csj_number;
        token->value.number = double(digits) / powers[decimals];
    }
    return true;
}

/// `text` must be followed by white space or a structural character, and 32 bytes that may be read.
void read_number(const uint8_t *text, const uint8_t *end, csj_token *token) {
    if (read_short_number(text, end, token)) return;
    number_sink sink{token};
    if (simdjson::SIMDJSON_BUILTIN_IMPLEMENTATION::numberparsing::parse_number(text, sink) == simdjson::SUCCESS) return;
    token->kind = parse_long_number(text, end, &token->value.number) ? csj_number : csj_invalid;
}

/// simdjson lets a lone low surrogate through, as bytes that are no UTF-8.
bool has_surrogate(const uint8_t *text, const uint8_t *end) {
    for (; end - text >= 2; ++text) {
        if (text[0] == 0xed && text[1] >= 0xa0) return true;
    }
    return false;
}

}  // namespace

struct csj_parser {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stages;
    /// Bytes of one document that fit.
    size_t capacity = 0;
    /// The document and its padding, then room for unescaped strings.
    buffer<uint8_t> text;
    buffer<csj_token> tape;
    size_t tape_capacity = 0;

    /// How far this document's unescaped strings reach.
    uint8_t *unescaped = nullptr;
    const uint32_t *indexes = nullptr;
    uint32_t index_count = 0;
    uint32_t invalid_count = 0;
    /// Some string of this document has an escape.
    bool has_escapes = false;

    bool reserve(size_t length);
    bool reserve_tape(size_t tokens);
    int find_tokens(size_t length);
    int walk(uint32_t max_depth, csj_document *document);
    void read_string(uint32_t index, csj_token *token);
    void read_scalar(uint32_t index, csj_token *token);
    const uint8_t *end_of_scalar(uint32_t index) const;
};

/// Memory grown for one giant is given back when the next document is far smaller.
bool csj_parser::reserve(size_t length) {
    constexpr size_t keep = 1 << 20;
    bool oversized = capacity > keep && length < capacity / 16;
    if (length <= capacity && !oversized) return true;
    size_t wanted = 4096;
    while (wanted < length) wanted *= 2;
    capacity = 0;
    stages.reset();
    if (oversized) {
        tape.reset();
        tape_capacity = 0;
    }
    text.reset(static_cast<uint8_t *>(std::malloc(2 * (wanted + padding))));
    if (!text) return false;
    auto error = simdjson::get_active_implementation()->create_dom_parser_implementation(wanted, 1, stages);
    if (error != simdjson::SUCCESS) return false;
    capacity = wanted;
    return true;
}

bool csj_parser::reserve_tape(size_t tokens) {
    if (tokens <= tape_capacity) return true;
    tape_capacity = 0;
    tape.reset(static_cast<csj_token *>(std::malloc(tokens * 2 * sizeof(csj_token))));
    if (!tape) return false;
    tape_capacity = tokens * 2;
    return true;
}

int csj_parser::find_tokens(size_t length) {
    switch (stages->stage1(text.get(), length, simdjson::stage1_mode::regular)) {
        case simdjson::SUCCESS: break;
        case simdjson::EMPTY: return csj_empty;
        case simdjson::UTF8_ERROR: return csj_not_utf8;
        case simdjson::UNESCAPED_CHARS: return csj_control_character;
        case simdjson::UNCLOSED_STRING: return csj_unclosed_string;
        default: return csj_internal;
    }
    indexes = stages->structural_indexes.get();
    index_count = stages->n_structural_indexes;
    return index_count == 0 ? csj_empty : csj_ok;
}

/// A scalar ends where the white space before the next structural character begins.
const uint8_t *csj_parser::end_of_scalar(uint32_t index) const {
    const uint8_t *first = text.get() + indexes[index];
    const uint8_t *end = text.get() + indexes[index + 1];
    while (end > first + 1 && is_white(end[-1])) --end;
    return end;
}

/// `token->kind` is set already.
void csj_parser::read_string(uint32_t index, csj_token *token) {
    const uint8_t *first = text.get() + indexes[index] + 1;
    const uint8_t *end = end_of_scalar(index);
    token->start = indexes[index];
    token->end = uint32_t(end - text.get());
    if (end > first && end[-1] == '"') {
        token->value.text = uint64_t(first - text.get());
        token->link = uint32_t(end - 1 - first);
        if (!has_escapes || std::memchr(first, '\\', size_t(end - 1 - first)) == nullptr) return;
        uint8_t *last = stages->parse_string(first, unescaped);
        if (last != nullptr && !has_surrogate(unescaped, last)) {
            token->value.text = uint64_t(unescaped - text.get());
            token->link = uint32_t(last - unescaped);
            unescaped = last;
            return;
        }
    } else {
        token->value.text = uint64_t(first - text.get());
        token->link = 0;
    }
    ++invalid_count;
    if (token->kind != csj_key) token->kind = csj_invalid;
}

void csj_parser::read_scalar(uint32_t index, csj_token *token) {
    const uint8_t *first = text.get() + indexes[index];
    const uint8_t *end = end_of_scalar(index);
    token->start = indexes[index];
    token->end = uint32_t(end - text.get());
    token->kind = csj_invalid;
    size_t length = size_t(end - first);
    if (*first == '-' || is_digit(*first)) {
        read_number(first, end, token);
    } else if (length == 4 && std::memcmp(first, "true", 4) == 0) {
        token->kind = csj_true;
    } else if (length == 5 && std::memcmp(first, "false", 5) == 0) {
        token->kind = csj_false;
    } else if (length == 4 && std::memcmp(first, "null", 4) == 0) {
        token->kind = csj_null;
    }
    if (simdjson_unlikely(token->kind == csj_invalid)) ++invalid_count;
}

/// The grammar of RFC 8259, one structural character after the other.
int csj_parser::walk(uint32_t max_depth, csj_document *document) {
    csj_token *const tokens = tape.get();
    csj_token *next = tokens;
    csj_token *open[deepest];
    uint32_t depth = 0;
    uint32_t index = 0;
    const uint8_t *const source = text.get();
    auto at_end = [&] { return index >= index_count; };
    auto fail = [&](int error) {
        document->position = indexes[index < index_count ? index : index_count];
        return error;
    };

value:
    if (at_end()) return fail(csj_incomplete);
    switch (source[indexes[index]]) {
        case '{':
        case '[': {
            if (depth == max_depth) return fail(csj_too_deep);
            bool object = source[indexes[index]] == '{';
            next->start = indexes[index++];
            next->kind = object ? csj_object : csj_array;
            next->value.count = 0;
            open[depth++] = next++;
            if (at_end()) return fail(csj_incomplete);
            if (source[indexes[index]] == (object ? '}' : ']')) goto close;
            open[depth - 1]->value.count = 1;
            if (object) goto key;
            goto value;
        }
        case '"':
            next->kind = csj_string;
            read_string(index++, next++);
            break;
        case '}':
        case ']':
        case ':':
        case ',': return fail(csj_unexpected);
        default: read_scalar(index++, next++);
    }

after_value:
    if (depth == 0) {
        if (!at_end()) return fail(csj_trailing);
        document->tokens = tokens;
        document->count = uint32_t(next - tokens);
        return csj_ok;
    }
    if (at_end()) return fail(csj_incomplete);
    {
        bool object = open[depth - 1]->kind == csj_object;
        uint8_t byte = source[indexes[index]];
        if (byte == ',') {
            ++index;
            ++open[depth - 1]->value.count;
            if (object) goto key;
            goto value;
        }
        if (byte != (object ? '}' : ']')) return fail(csj_unexpected);
    }

close:
    --depth;
    open[depth]->end = indexes[index++] + 1;
    open[depth]->link = uint32_t(next - tokens);
    goto after_value;

key:
    if (at_end()) return fail(csj_incomplete);
    if (source[indexes[index]] != '"') return fail(csj_unexpected);
    next->kind = csj_key;
    read_string(index++, next++);
    if (at_end()) return fail(csj_incomplete);
    if (source[indexes[index]] != ':') return fail(csj_unexpected);
    ++index;
    goto value;
}

extern "C" csj_parser *csj_create(void) { return new (std::nothrow) csj_parser(); }

extern "C" void csj_destroy(csj_parser *parser) { delete parser; }

extern "C" int csj_parse(
    csj_parser *parser, const uint8_t *bytes, size_t length, uint32_t max_depth, uint32_t max_structurals,
    csj_document *document) {
    *document = csj_document{};
    document->position = length;
    if (length == 0) return csj_empty;
    if (length > (size_t(1) << 30)) return csj_too_long;
    if (!parser->reserve(length)) return csj_out_of_memory;
    uint8_t *text = parser->text.get();
    std::memcpy(text, bytes, length);
    std::memset(text + length, ' ', padding);
    parser->unescaped = text + length + padding;
    parser->invalid_count = 0;
    parser->has_escapes = std::memchr(text, '\\', length) != nullptr;
    if (int error = parser->find_tokens(length)) return error;
    if (parser->index_count > max_structurals) return csj_too_many_tokens;
    if (!parser->reserve_tape(size_t(parser->index_count) + 1)) return csj_out_of_memory;
    document->text = text;
    int error = parser->walk(max_depth < deepest ? max_depth : deepest, document);
    document->invalid_count = parser->invalid_count;
    return error;
}

extern "C" bool csj_parse_number(const uint8_t *text, size_t length, double *number) {
    uint8_t padded[64 + 32];
    if (length == 0 || length > 64) return length != 0 && parse_long_number(text, text + length, number);
    std::memcpy(padded, text, length);
    std::memset(padded + length, ' ', 32);
    csj_token token;
    read_number(padded, padded + length, &token);
    if (token.kind == csj_invalid) return false;
    // A blank inside ends a number for simdjson, not for us.
    for (size_t index = 0; index < length; ++index) {
        if (is_white(padded[index]) || padded[index] == ',' || padded[index] == ':') return false;
        if (padded[index] == '{' || padded[index] == '}' || padded[index] == '[' || padded[index] == ']') return false;
    }
    *number = token.kind == csj_integer ? double(token.value.integer) : token.value.number;
    return true;
}

extern "C" size_t csj_format_number(double number, char *out) {
    return size_t(std::to_chars(out, out + 32, number).ptr - out);
}
