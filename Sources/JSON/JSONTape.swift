import CSimdJSON

/// One token of a parsed document. A container is followed by its content, a key by its value.
@frozen
package struct JSONToken {
    @usableFromInline let raw: csj_token

    @frozen
    package enum Kind: UInt32, Sendable {
        case object, array, key, string
        /// A whole number within 64 bits.
        case integer
        case number
        case `true`, `false`, null
        /// A scalar that is no JSON value: `NaN`, `01`, `1e999`, a string with a broken escape.
        case invalid
    }

    @inlinable package var kind: Kind { Kind(rawValue: raw.kind) ?? .invalid }

    /// Offset of its first byte in the source, quotes and brackets included.
    @inlinable package var start: Int { Int(raw.start) }
    /// Offset behind its last byte.
    @inlinable package var end: Int { Int(raw.end) }

    /// Only for `.number`.
    @inlinable package var double: Double { raw.value.number }
    /// Only for `.integer`.
    @inlinable package var integer: Int64 { raw.value.integer }

    /// The value of an `.integer` or `.number`, else `nil`.
    @inlinable package var number: Double? {
        switch kind {
        case .number: raw.value.number
        case .integer: Double(raw.value.integer)
        default: nil
        }
    }
    /// Only for containers: how many elements or members.
    @inlinable package var count: Int { Int(raw.value.count) }
}

/// A parsed document, in order. It borrows the parser's memory: use it only inside the closure that receives it.
@frozen
package struct JSONTape {
    /// The first is the document's value.
    @usableFromInline let tokens: UnsafeBufferPointer<csj_token>
    @usableFromInline let texts: UnsafeRawPointer
    @usableFromInline let source: UnsafeRawBufferPointer
    /// How many tokens are no JSON value. Zero: all of the document is right.
    package let invalidCount: Int

    @usableFromInline init(_ document: csj_document, source: UnsafeRawBufferPointer) {
        tokens = UnsafeBufferPointer(start: document.tokens, count: Int(document.count))
        texts = UnsafeRawPointer(document.text)
        self.source = source
        invalidCount = Int(document.invalid_count)
    }

    @inlinable package var count: Int { tokens.count }

    @inlinable package subscript(_ index: Int) -> JSONToken { JSONToken(raw: tokens[index]) }

    /// The text of a key or string, unescaped. At least 16 bytes behind it may be read.
    @inlinable package func text(of token: JSONToken) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: texts + Int(token.raw.value.text), count: Int(token.raw.link))
    }

    /// A token's original bytes: of a container all of it, of a string with its quotes.
    @inlinable package func original(of token: JSONToken) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: source[token.start..<token.end])
    }

    /// The index behind the value that begins at `index`.
    @inlinable package func index(after index: Int) -> Int {
        let token = self[index]
        return switch token.kind {
        case .object, .array: Int(token.raw.link)
        default: index + 1
        }
    }

    /// Where the value of an object's member is; the last one of that name.
    package func member(_ name: String, ofObjectAt object: Int = 0) -> Int? {
        guard self[object].kind == .object else { return nil }
        var found: Int?
        var index = object + 1
        let end = self.index(after: object)
        while index < end {
            if text(of: self[index]).elementsEqual(name.utf8) { found = index + 1 }
            index = self.index(after: index + 1)
        }
        return found
    }
}
