import CSimdJSON

/// One token of a parsed document. A container is followed by its content, a key by its value.
///
/// Laid out as `csj_token`, but a type of our own, and usable from inline code: without that other modules would not
/// inline what reads it.
@frozen @usableFromInline
package struct JSONToken {
    @usableFromInline let rawStart: UInt32
    @usableFromInline let rawEnd: UInt32
    @usableFromInline let rawKind: UInt32
    @usableFromInline let link: UInt32
    @usableFromInline let payload: UInt64

    @frozen @usableFromInline
    package enum Kind: Sendable {
        case object, array, key, string
        /// A whole number within 64 bits.
        case integer
        case number
        case `true`, `false`, null
        /// A scalar that is no JSON value: `NaN`, `01`, `1e999`, a string with a broken escape.
        case invalid
    }

    @inlinable @inline(__always) package var kind: Kind {
        switch rawKind {
        case 0: .object
        case 1: .array
        case 2: .key
        case 3: .string
        case 4: .integer
        case 5: .number
        case 6: .true
        case 7: .false
        case 8: .null
        default: .invalid
        }
    }

    /// Offset of its first byte in the source, quotes and brackets included.
    @inlinable @inline(__always) package var start: Int { Int(rawStart) }
    /// Offset behind its last byte.
    @inlinable @inline(__always) package var end: Int { Int(rawEnd) }

    /// Only for `.number`.
    @inlinable @inline(__always) package var double: Double { Double(bitPattern: payload) }
    /// Only for `.integer`.
    @inlinable @inline(__always) package var integer: Int64 { Int64(bitPattern: payload) }

    /// The value of an `.integer` or `.number`, else `nil`.
    package var number: Double? {
        switch kind {
        case .number: double
        case .integer: Double(integer)
        default: nil
        }
    }
    /// The text of a key or string, unescaped. At least 16 bytes behind it may be read.
    @inlinable @inline(__always) package func text(in texts: UnsafeRawPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: texts + Int(payload), count: Int(link))
    }
    /// The index behind the value that begins with this token at `index`.
    @inlinable @inline(__always) package func index(after index: Int) -> Int {
        // The two kinds of containers are the first ones.
        rawKind < 2 ? Int(link) : index + 1
    }
    /// Only for containers: how many elements or members.
    @inlinable @inline(__always) package var count: Int { Int(payload) }
}

/// A parsed document, in order. It borrows the parser's memory: use it only inside the closure that receives it.
package struct JSONTape {
    /// The first is the document's value.
    package let tokens: UnsafePointer<JSONToken>
    package let count: Int
    /// What the texts of keys and strings are in.
    package let texts: UnsafeRawPointer
    package let source: UnsafeRawBufferPointer
    /// How many tokens are no JSON value. Zero: all of the document is right.
    package let invalidCount: Int

    init?(_ document: csj_document, source: UnsafeRawBufferPointer) {
        precondition(
            MemoryLayout<JSONToken>.size == MemoryLayout<csj_token>.size
                && MemoryLayout<csj_token>.offset(of: \.link) == MemoryLayout<JSONToken>.offset(of: \.link),
            "JSONToken must be laid out as csj_token")
        guard let first = document.tokens, let text = document.text else { return nil }
        tokens = UnsafeRawPointer(first).assumingMemoryBound(to: JSONToken.self)
        count = Int(document.count)
        texts = UnsafeRawPointer(text)
        self.source = source
        invalidCount = Int(document.invalid_count)
    }

    /// A document has at least one token.
    package subscript(_ index: Int) -> JSONToken { tokens[index] }

    package func text(of token: JSONToken) -> UnsafeRawBufferPointer { token.text(in: texts) }

    /// A token's original bytes: of a container all of it, of a string with its quotes.
    package func original(of token: JSONToken) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: source[token.start..<token.end])
    }

    /// The index behind the value that begins at `index`.
    package func index(after index: Int) -> Int { tokens[index].index(after: index) }

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
