import JSON

/// Decodes CSV with a header, wide or long, fed in chunks of any size: for files of hundreds of megabytes as for one
/// HTTP body.
///
/// RFC 4180 with these differences: a line break ends a record even between quotes, so that one stray quote spoils one
/// line and not the rest; blank lines are skipped; a line may be short (what is missing is absent) but not long.
/// Columns may come in any order, and those that are neither known nor numbers are dropped. An empty field is absent.
///
/// Not `Sendable`: a decoder belongs to one user at a time.
package final class CSVDecoder {
    private let table = FieldTable()
    private var fields = RecordFields()
    private var splitter = LineSplitter()
    /// One for each column of the header.
    private var columns: [Column] = []
    private var header = StableBytes(capacity: 0)
    private var isLong = false
    /// The beginning of a line whose end has not come yet.
    private var pending: [UInt8] = []
    /// The rest of a line that was too long is being skipped.
    private var isSkipping = false
    /// 1 is the header.
    private var line = 0

    private struct Column {
        /// In `header`.
        let name: UnsafeRawBufferPointer
        let field: Field
    }

    package init() {}

    /// Decodes the lines that end in this chunk.
    ///
    /// - Parameter record: called for each record in order, with its line (the header is line 1).
    /// - Parameter refused: called for each line that is no record, in the same order.
    /// - Throws: when the header names no chassis; then it cannot go on.
    package func feed(
        _ chunk: UnsafeRawBufferPointer,
        record: (_ line: Int, borrowing Record) -> Void,
        refused: (_ line: Int, Refusal) -> Void
    ) throws(Refusal) {
        var rest = chunk
        if !pending.isEmpty || isSkipping {
            guard let end = rest.firstIndex(of: newline) else { return hold(rest, refused) }
            if !isSkipping { pending.append(contentsOf: rest[..<end]) }
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
            try takePending(record, refused)
        }
        while let end = rest.firstIndex(of: newline) {
            try take(UnsafeRawBufferPointer(rebasing: rest[..<end]), record, refused)
            rest = UnsafeRawBufferPointer(rebasing: rest[(end + 1)...])
        }
        hold(rest, refused)
    }

    /// Decodes a last line without a line break.
    package func finish(
        record: (_ line: Int, borrowing Record) -> Void,
        refused: (_ line: Int, Refusal) -> Void
    ) throws(Refusal) {
        if !pending.isEmpty || isSkipping { try takePending(record, refused) }
        if columns.isEmpty {
            throw Refusal(.missing, field: "header", value: "", allowed: "a line that names the columns")
        }
    }

    private func hold(_ rest: UnsafeRawBufferPointer, _ refused: (Int, Refusal) -> Void) {
        guard !isSkipping else { return }
        pending.append(contentsOf: rest)
        guard pending.count > Limits.recordBytes else { return }
        line += 1
        refused(line, Refusals.tooLarge(pending.count))
        pending.removeAll(keepingCapacity: true)
        isSkipping = true
    }

    private func takePending(
        _ record: (Int, borrowing Record) -> Void, _ refused: (Int, Refusal) -> Void
    ) throws(Refusal) {
        if isSkipping {
            isSkipping = false
            return
        }
        var whole: [UInt8] = []
        swap(&whole, &pending)
        let result: Result<Void, Refusal> = whole.withUnsafeBytes { bytes in
            do throws(Refusal) { return .success(try take(bytes, record, refused)) } catch { return .failure(error) }
        }
        whole.removeAll(keepingCapacity: true)
        swap(&whole, &pending)
        try result.get()
    }

    private func take(
        _ bytes: UnsafeRawBufferPointer, _ record: (Int, borrowing Record) -> Void, _ refused: (Int, Refusal) -> Void
    ) throws(Refusal) {
        line += 1
        guard !columns.isEmpty else { return try takeHeader(bytes) }
        guard let problem = takeRow(bytes) else { return }
        switch problem {
        case .success: record(line, fields.record)
        case .failure(let refusal): refused(line, refusal)
        }
    }
}

// MARK: Lines

extension CSVDecoder {
    private func takeHeader(_ bytes: UnsafeRawBufferPointer) throws(Refusal) {
        var bytes = bytes
        if bytes.prefix(3).elementsEqual([0xEF, 0xBB, 0xBF]) {
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst(3))
        }
        switch splitter.split(bytes) {
        case .blank:
            line -= 1
            return
        case .refused(let refusal): throw refusal
        case .fields: break
        }
        header = StableBytes(capacity: bytes.count)
        for index in 0..<splitter.count {
            let start = header.count
            header.append(splitter[index])
            let name = header.slice(from: start)
            columns.append(Column(name: name, field: table.field(name)))
        }
        isLong = columns.contains { $0.field == .telemetryName }
        guard columns.contains(where: { $0.field == .chassis || $0.field == .vehicleID }) else {
            columns.removeAll()
            throw Refusal(
                .missing, field: "header", value: shown(bytes), allowed: "a line with a column chassis or vehicle_id")
        }
    }

    /// - Returns: `nil` for a blank line.
    private func takeRow(_ bytes: UnsafeRawBufferPointer) -> Result<Void, Refusal>? {
        guard bytes.count <= Limits.recordBytes else { return .failure(Refusals.tooLarge(bytes.count)) }
        switch splitter.split(bytes) {
        case .blank: return nil
        case .refused(let refusal): return .failure(refusal)
        case .fields: break
        }
        guard splitter.count <= columns.count else {
            return .failure(
                Refusal(
                    .outOfRange, field: "line", value: "\(splitter.count) fields",
                    allowed: "of at most \(columns.count) fields, as the header has"))
        }
        fields.removeAll()
        for index in 0..<splitter.count {
            if let refusal = takeField(columns[index], splitter[index]) { return .failure(refusal) }
        }
        return switch fields.finish(table) {
        case nil: .success(())
        case .refusal(let refusal): .failure(refusal)
        case .wrong(let field): .failure(refusal(of: field))
        }
    }

    private func takeField(_ column: Column, _ text: UnsafeRawBufferPointer) -> Refusal? {
        if text.isEmpty { return nil }
        switch column.field {
        case .other:
            if isLong { return nil }
            return takeExtra(column.name, text)
        case .lap, .telemetryValue: takeNumber(column.field, text)
        case let field where field.isChannel:
            if !isLong { takeNumber(field, text) }
        default: fields.set(column.field, to: text)
        }
        return nil
    }

    private func takeNumber(_ field: Field, _ text: UnsafeRawBufferPointer) {
        if let number = JSONNumber.parse(text) {
            fields.set(field, name: text, to: number)
        } else {
            fields.note(wrong: field)
        }
    }

    private func takeExtra(_ name: UnsafeRawBufferPointer, _ text: UnsafeRawBufferPointer) -> Refusal? {
        if let number = JSONNumber.parse(text) {
            fields.set(.other, name: name, to: number)
        } else if isNotFinite(text) {
            return Refusals.notANumber(named: shown(name), text: text)
        }
        return nil
    }

    private func refusal(of field: Field) -> Refusal {
        for index in (0..<splitter.count).reversed() where columns[index].field == field {
            return Refusals.wrong(field, named: shown(columns[index].name), text: splitter[index])
        }
        return Refusal(.missing, field: "line", value: "", allowed: "complete")
    }
}

private let newline = UInt8(ascii: "\n")
