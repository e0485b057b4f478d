namespace Twin.Hardware.Wire;

/// <summary>Why bytes are no valid message. The number may be stored; numbers are never used again.</summary>
public enum WireCode : byte
{
    None = 0,
    Truncated = 1,
    BadFlag = 2,
    BadFormat = 3,
    BadLength = 4,
    BadAddress = 5,
    HeaderCheck = 6,
    FrameCheck = 7,
    BadLlc = 8,
    BadVersion = 9,
    UnknownTag = 10,
    TooDeep = 11,
    TooManyElements = 12,
    TooLong = 13,
    BadValue = 14,
    WrongType = 15,
    TrailingBytes = 16,
    Unsupported = 17,
    OutOfOrder = 18,
    BufferTooSmall = 19,
    UnspecifiedTime = 20,
    BadSecurityControl = 21,
    NoKey = 22,
    AuthenticationFailed = 23,
    SignatureFailed = 24,
    KeyUnwrapFailed = 25,
    KeyAgreementFailed = 26,
}

/// <summary>
/// What a decoder found wrong and where. <paramref name="Offset"/> counts bytes from the start of what the decoder was
/// given: 0 to its length. <see cref="WireCode.None"/> is no error.
/// </summary>
public readonly record struct WireError(WireCode Code, int Offset)
{
    public bool IsError => Code != WireCode.None;

    /// <summary>The same error seen from an outer layer that holds the inner bytes at <paramref name="at"/>.</summary>
    public WireError Within(int at) => Code == WireCode.None ? this : new WireError(Code, Offset + at);

    /// <summary>One sentence for a log or a rejected-frame report. Holds no byte of the frame.</summary>
    public string Describe() => Code == WireCode.None ? "no error" : $"{Reason(Code)} at byte {Offset}";

    private static string Reason(WireCode code) => code switch
    {
        WireCode.Truncated => "the message ends too early",
        WireCode.BadFlag => "a flag or delimiter is missing",
        WireCode.BadFormat => "the frame format is not known",
        WireCode.BadLength => "a length does not fit its contents",
        WireCode.BadAddress => "an HDLC address does not have 1, 2 or 4 bytes",
        WireCode.HeaderCheck => "the header check sequence is wrong",
        WireCode.FrameCheck => "the frame check sequence or checksum is wrong",
        WireCode.BadLlc => "the LLC header is neither E6 E6 00 nor E6 E7 00",
        WireCode.BadVersion => "the version is not known",
        WireCode.UnknownTag => "a tag is not known",
        WireCode.TooDeep => "data are nested too deeply",
        WireCode.TooManyElements => "there are too many elements",
        WireCode.TooLong => "the message is over the largest size",
        WireCode.BadValue => "a value is out of its range",
        WireCode.WrongType => "a value has another type than expected",
        WireCode.TrailingBytes => "bytes follow the end of the message",
        WireCode.Unsupported => "the message asks for what is not implemented",
        WireCode.OutOfOrder => "a segment or block is not the next one",
        WireCode.BufferTooSmall => "the receiving buffer is too small",
        WireCode.UnspecifiedTime => "a date-time leaves a field open",
        WireCode.BadSecurityControl => "the security control byte is not valid here",
        WireCode.NoKey => "there is no key for this message",
        WireCode.AuthenticationFailed => "the authentication tag is wrong",
        WireCode.SignatureFailed => "the signature is wrong",
        WireCode.KeyUnwrapFailed => "the wrapped key is not intact",
        WireCode.KeyAgreementFailed => "the key agreement data are not valid",
        _ => "unknown error",
    };
}
