import Telemetry

/// Is the car getting faster? Compares the mean speed of the newer and the older half of the recent speeds.
///
/// The window grows to the last 1024 speeds of known laps (about two laps at TRD's 4.6 Hz, so that each half is about
/// one lap and corners weigh alike in both). Kept as at most 16 blocks of equal size: when all are full, pairs are
/// merged until a block has 64 speeds; then the oldest block goes. So the state is small, a speed costs O(1), and the
/// trend is looked at once per block, which also keeps it from flickering.
struct SpeedTrend: Sendable {
    static let blockCountMax = 16
    static let blockSizeMax: UInt32 = 64
    /// km/h between the halves; less is stable.
    static let threshold = 2.0

    private var blocks = InlineArray<16, Double>(repeating: 0)
    private var filled = 0
    private var blockSize: UInt32 = 4
    private var partial = 0.0
    private var partialCount: UInt32 = 0
    /// Newer mean − older mean, km/h; `nil` until both halves hold at least 12 speeds.
    private(set) var difference: Double?

    init() {}

    /// - Returns: whether a block was finished, so that `difference` may have changed.
    mutating func add(_ speed: Double) -> Bool {
        partial += speed
        partialCount &+= 1
        guard partialCount >= blockSize else { return false }
        finishBlock()
        return true
    }

    private mutating func finishBlock() {
        if filled == SpeedTrend.blockCountMax { makeRoom() }
        // Merging doubles the block size; the speeds at hand then begin the next, larger block.
        guard partialCount >= blockSize else { return }
        blocks[filled] = partial
        filled += 1
        partial = 0
        partialCount = 0
        let half = filled / 2
        guard half * Int(blockSize) >= 12 else { return }
        var older = 0.0
        var newer = 0.0
        for index in 0..<half {
            older += blocks[index]
            newer += blocks[filled - half + index]
        }
        difference = (newer - older) / Double(half * Int(blockSize))
    }

    private mutating func makeRoom() {
        guard blockSize < SpeedTrend.blockSizeMax else {
            for index in 1..<SpeedTrend.blockCountMax { blocks[index - 1] = blocks[index] }
            filled -= 1
            return
        }
        for index in 0..<SpeedTrend.blockCountMax / 2 { blocks[index] = blocks[2 * index] + blocks[2 * index + 1] }
        filled /= 2
        blockSize *= 2
    }

    /// Pitwall's word for it.
    var name: StaticString {
        guard let difference else { return "stable" }
        if difference > SpeedTrend.threshold { return "improving" }
        return difference < -SpeedTrend.threshold ? "degrading" : "stable"
    }
}

// MARK: Snapshot format

extension SpeedTrend {
    func encode(into writer: inout BinaryWriter) {
        writer.write(UInt8(filled))
        for index in 0..<filled { writer.write(blocks[index]) }
        writer.write(blockSize)
        writer.write(partial)
        writer.write(partialCount)
        writer.write(difference) { $0.write($1) }
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        let count: UInt8 = try reader.read()
        guard count <= SpeedTrend.blockCountMax else { throw .invalid(what: "trend blocks", value: "\(count)") }
        for index in 0..<Int(count) { blocks[index] = try reader.readDouble() }
        filled = Int(count)
        blockSize = try reader.read()
        guard (1...SpeedTrend.blockSizeMax).contains(blockSize) else {
            throw .invalid(what: "trend block size", value: "\(blockSize)")
        }
        partial = try reader.readDouble()
        partialCount = try reader.read()
        difference = try reader.readOptional(BinaryReader.double)
    }
}
