namespace Twin.Hardware.Wire;

/// <summary>The types of COSEM data, by their A-XDR tag (IEC 62056-62, IEC 61334-6).</summary>
public enum CosemTag : byte
{
    Null = 0,
    Array = 1,
    Structure = 2,
    Boolean = 3,
    BitString = 4,
    DoubleLong = 5,
    DoubleLongUnsigned = 6,
    OctetString = 9,
    VisibleString = 10,
    Utf8String = 12,
    Bcd = 13,
    Integer = 15,
    Long = 16,
    Unsigned = 17,
    LongUnsigned = 18,
    CompactArray = 19,
    Long64 = 20,
    Long64Unsigned = 21,
    Enum = 22,
    Float32 = 23,
    Float64 = 24,
    DateTime = 25,
    Date = 26,
    Time = 27,
    DeltaInteger = 28,
    DeltaLong = 29,
    DeltaDoubleLong = 30,
    DeltaUnsigned = 31,
    DeltaLongUnsigned = 32,
    DeltaDoubleLongUnsigned = 33,
    DontCare = 255,
}

/// <summary>Facts of a type.</summary>
public static class CosemTags
{
    /// <summary>Bytes of a value behind its tag; −1 when the value says its own length or holds elements.</summary>
    public static int Width(this CosemTag tag) => tag switch
    {
        CosemTag.Null or CosemTag.DontCare => 0,
        CosemTag.Boolean or CosemTag.Integer or CosemTag.Unsigned or CosemTag.Enum or CosemTag.Bcd
            or CosemTag.DeltaInteger or CosemTag.DeltaUnsigned => 1,
        CosemTag.Long or CosemTag.LongUnsigned or CosemTag.DeltaLong or CosemTag.DeltaLongUnsigned => 2,
        CosemTag.DoubleLong or CosemTag.DoubleLongUnsigned or CosemTag.Float32 or CosemTag.Time
            or CosemTag.DeltaDoubleLong or CosemTag.DeltaDoubleLongUnsigned => 4,
        CosemTag.Long64 or CosemTag.Long64Unsigned or CosemTag.Float64 => 8,
        CosemTag.DateTime => 12,
        CosemTag.Date => 5,
        _ => -1,
    };

    public static bool IsContainer(this CosemTag tag) => tag is CosemTag.Array or CosemTag.Structure;

    /// <summary>The value begins with its length.</summary>
    internal static bool HasLength(this CosemTag tag) =>
        tag is CosemTag.OctetString or CosemTag.VisibleString or CosemTag.Utf8String;
}
