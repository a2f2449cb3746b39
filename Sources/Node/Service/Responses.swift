import Delivery
import Telemetry
import Web

extension HTTPResponse {
    static func text(_ text: String, type: String = "text/plain; charset=utf-8") -> HTTPResponse {
        HTTPResponse(status: 200, headers: [("content-type", type)], body: Array(text.utf8))
    }

    static func json(_ json: JSONWriter, status: Int = 200) -> HTTPResponse {
        HTTPResponse(
            status: status,
            headers: [("content-type", "application/json"), ("access-control-allow-origin", "*")],
            body: json.bytes + [UInt8(ascii: "\n")])
    }

    /// `{"error":{"code":…,"message":…,"details":{…}}}`
    static func failure(_ status: Int, _ code: String, _ message: String, retryAfterSeconds: Int? = nil) -> HTTPResponse
    {
        var json = JSONWriter()
        json.raw("{\"error\":{\"code\":")
        json.string(code)
        json.raw(",\"message\":")
        json.string(message)
        json.raw(",\"details\":{}}}")
        var response = HTTPResponse.json(json, status: status)
        if let retryAfterSeconds { response.headers.append(("retry-after", "\(retryAfterSeconds)")) }
        return response
    }

    static let overloaded = failure(
        429, "overloaded", "the log takes no more at the moment; nothing of this body was taken", retryAfterSeconds: 1)

    /// `{"ok":true,"accepted":n,"rejected":[…]}`
    static func ingested(_ accepted: Gateway.Accepted, status: Int) -> HTTPResponse {
        var json = JSONWriter()
        json.raw("{\"ok\":")
        json.bool(status == 200)
        json.raw(",\"accepted\":")
        json.integer(accepted.count)
        json.raw(",\"rejected\":")
        json.rejections(accepted.rejected)
        json.raw("}")
        return .json(json, status: status)
    }
}
