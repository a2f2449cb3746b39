import Telemetry

/// Mean and largest of what was added.
struct Summary: Sendable {
    private(set) var count: UInt32 = 0
    private var sum = 0.0
    private(set) var largest = 0.0

    mutating func add(_ value: Double) {
        largest = count == 0 ? value : max(largest, value)
        count &+= 1
        sum += value
    }

    /// 0 before the first value, as Pitwall has it.
    var mean: Double { count == 0 ? 0 : sum / Double(count) }

}

/// Mean and spread in one pass. Source: Welford 1962, as in Knuth, The Art of Computer Programming 2, 4.2.2.
struct Spread: Sendable {
    private(set) var count: UInt32 = 0
    private(set) var mean = 0.0
    private var squares = 0.0

    mutating func add(_ value: Double) {
        count &+= 1
        let delta = value - mean
        mean += delta / Double(count)
        squares += delta * (value - mean)
    }

    /// (1 − standard deviation / mean) × 100; 0 before the first value. The deviation is the population's.
    var consistency: Double {
        guard count > 0, mean > 0 else { return 0 }
        return (1 - (squares / Double(count)).squareRoot() / mean) * 100
    }

    /// `consistency < percent`, without a root or a division.
    func isLessConsistent(than percent: Double) -> Bool {
        let allowed = (1 - percent / 100) * mean
        return squares > allowed * allowed * Double(count)
    }
}

extension Double {
    /// Half away from zero at `decimals` places, given as the power of ten.
    func rounded(to powerOfTen: Double) -> Double { (self * powerOfTen).rounded(.toNearestOrAwayFromZero) / powerOfTen }
}

/// The median; 0 of nothing. Of an even number the mean of the middle two. The values are in another order afterwards.
///
/// Allocates nothing, unlike sorting. Source: Hoare 1961, "Algorithm 65: Find", with the middle element as pivot.
func median(reordering values: inout [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let middle = values.count / 2
    var (low, high) = (0, values.count - 1)
    while low < high {
        let pivot = values[(low + high) / 2]
        var (left, right) = (low, high)
        while left <= right {
            while values[left] < pivot { left += 1 }
            while pivot < values[right] { right -= 1 }
            if left <= right {
                values.swapAt(left, right)
                left += 1
                right -= 1
            }
        }
        if right < middle { low = left }
        if middle < left { high = right }
    }
    guard values.count.isMultiple(of: 2) else { return values[middle] }
    return ((values[..<middle].max() ?? 0) + values[middle]) / 2
}

// MARK: Snapshot format

extension Summary {
    func encode(into writer: inout BinaryWriter) {
        writer.write(count)
        writer.write(sum)
        writer.write(largest)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        count = try reader.read()
        sum = try reader.readDouble()
        largest = try reader.readDouble()
    }
}

extension Spread {
    func encode(into writer: inout BinaryWriter) {
        writer.write(count)
        writer.write(mean)
        writer.write(squares)
    }

    init(from reader: inout BinaryReader) throws(BinaryError) {
        count = try reader.read()
        mean = try reader.readDouble()
        squares = try reader.readDouble()
    }
}
