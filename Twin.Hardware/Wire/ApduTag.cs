namespace Twin.Hardware.Wire;

/// <summary>The first byte of an APDU (IEC 62056-53): which service it is.</summary>
public enum ApduTag : byte
{
    None = 0,
    InitiateRequest = 0x01,
    InitiateResponse = 0x08,
    ConfirmedServiceError = 0x0E,
    DataNotification = 0x0F,
    GloInitiateRequest = 0x21,
    GloInitiateResponse = 0x28,
    Aarq = 0x60,
    Aare = 0x61,
    Rlrq = 0x62,
    Rlre = 0x63,
    GetRequest = 0xC0,
    SetRequest = 0xC1,
    EventNotification = 0xC2,
    ActionRequest = 0xC3,
    GetResponse = 0xC4,
    SetResponse = 0xC5,
    ActionResponse = 0xC7,
    GloGetRequest = 0xC8,
    GloSetRequest = 0xC9,
    GloEventNotification = 0xCA,
    GloActionRequest = 0xCB,
    GloGetResponse = 0xCC,
    GloSetResponse = 0xCD,
    GloActionResponse = 0xCF,
    DedGetRequest = 0xD0,
    DedSetRequest = 0xD1,
    DedEventNotification = 0xD2,
    DedActionRequest = 0xD3,
    DedGetResponse = 0xD4,
    DedSetResponse = 0xD5,
    DedActionResponse = 0xD7,
    ExceptionResponse = 0xD8,
    GeneralGloCiphering = 0xDB,
    GeneralDedCiphering = 0xDC,
    GeneralCiphering = 0xDD,
    GeneralSigning = 0xDF,
    GeneralBlockTransfer = 0xE0,
}

/// <summary>Facts of an APDU's tag.</summary>
public static class ApduTags
{
    /// <summary>The tag of an APDU; none of an empty one.</summary>
    public static ApduTag Of(ReadOnlySpan<byte> apdu) => apdu.IsEmpty ? ApduTag.None : (ApduTag)apdu[0];

    /// <summary>Ciphered for one service, without a system title of its own: that of the association counts.</summary>
    public static bool IsServiceCiphered(this ApduTag tag) => tag.IsServiceGlobal() || tag.IsServiceDedicated();

    public static bool IsServiceGlobal(this ApduTag tag) => tag
        is ApduTag.GloInitiateRequest or ApduTag.GloInitiateResponse
        or >= ApduTag.GloGetRequest and <= ApduTag.GloSetResponse or ApduTag.GloActionResponse;

    public static bool IsServiceDedicated(this ApduTag tag) => tag
        is >= ApduTag.DedGetRequest and <= ApduTag.DedSetResponse or ApduTag.DedActionResponse;

    /// <summary>Ciphered in any way.</summary>
    public static bool IsCiphered(this ApduTag tag) => tag.IsServiceCiphered()
        || tag is ApduTag.GeneralGloCiphering or ApduTag.GeneralDedCiphering or ApduTag.GeneralCiphering;

    /// <summary>The ciphered form of a service with the global key; none where there is none.</summary>
    public static ApduTag Global(this ApduTag plain) => plain switch
    {
        ApduTag.InitiateRequest => ApduTag.GloInitiateRequest,
        ApduTag.InitiateResponse => ApduTag.GloInitiateResponse,
        >= ApduTag.GetRequest and <= ApduTag.SetResponse or ApduTag.ActionResponse => plain + 8,
        _ => ApduTag.None,
    };

    /// <summary>The ciphered form of a service with the dedicated key; none where there is none.</summary>
    public static ApduTag Dedicated(this ApduTag plain) => plain switch
    {
        >= ApduTag.GetRequest and <= ApduTag.SetResponse or ApduTag.ActionResponse => plain + 16,
        _ => ApduTag.None,
    };
}
