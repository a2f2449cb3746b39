#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a token is. A scalar that is no JSON value (`NaN`, `01`, `1e999`, a string with a broken escape) is
/// `csj_invalid`: parsing goes on behind it.
enum csj_kind {
    csj_object,
    csj_array,
    csj_key,
    csj_string,
    csj_integer,
    csj_number,
    csj_true,
    csj_false,
    csj_null,
    csj_invalid,
};

/// One token of a flat tape in document order. A container is followed by its content; a key by its value.
typedef struct {
    /// Offsets of the token's bytes in the source: quotes and brackets included, `end` exclusive.
    uint32_t start, end;
    uint32_t kind;
    /// Containers: the index behind its last token. Keys and strings: bytes of text.
    uint32_t link;
    union {
        int64_t integer;
        double number;
        /// Keys and strings: where the text, without quotes and unescaped, begins in `csj_document.text`.
        uint64_t text;
        /// Containers: how many elements or members.
        uint64_t count;
    } value;
} csj_token;

typedef struct {
    const csj_token *tokens;
    uint32_t count;
    /// How many tokens are `csj_invalid`, or keys with a broken escape.
    uint32_t invalid_count;
    /// At least 16 bytes behind any text may be read.
    const uint8_t *text;
    /// Where it went wrong, when it did; `length` when not known.
    size_t position;
} csj_document;

enum csj_error {
    csj_ok,
    csj_out_of_memory,
    csj_empty,
    csj_not_utf8,
    csj_control_character,
    csj_unclosed_string,
    csj_unexpected,
    csj_incomplete,
    csj_trailing,
    csj_too_deep,
    csj_too_many_tokens,
    csj_too_long,
    csj_internal,
};

typedef struct csj_parser csj_parser;

/// @return NULL when there is no memory.
csj_parser *csj_create(void);
void csj_destroy(csj_parser *parser);

/// Parses one document. `document` is valid until the next call with this parser.
/// @return a `csj_error`
int csj_parse(
    csj_parser *parser, const uint8_t *bytes, size_t length, uint32_t max_depth, uint32_t max_structurals,
    csj_document *document);

/// Reads a text that is one JSON number and nothing else; false when it is not, or is beyond a double.
bool csj_parse_number(const uint8_t *text, size_t length, double *number);

/// Writes the shortest decimal that reads back as `number`, which must be finite, into 32 bytes.
/// @return how many bytes were written
size_t csj_format_number(double number, char *out);

#ifdef __cplusplus
}
#endif
