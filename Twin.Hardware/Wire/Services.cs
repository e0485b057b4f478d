using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>An attribute (get, set) or method (action) of an object: class id, logical name, number.</summary>
public readonly record struct CosemTarget(ushort ClassId, Obis Name, sbyte Index)
{
    public override string ToString() => $"{ClassId}/{Name}/{Index}";

    internal static CosemTarget Read(ref WireReader r)
    {
        var classId = r.UInt16();
        Obis.TryRead(r.Bytes(Obis.Bytes), out var name);
        return new CosemTarget(classId, name, unchecked((sbyte)r.Byte()));
    }

    internal void Write(ByteWriter w)
    {
        w.BigUInt16(ClassId);
        Span<byte> six = stackalloc byte[Obis.Bytes];
        Name.CopyTo(six);
        w.Bytes(six);
        w.Byte(unchecked((byte)Index));
    }
}

/// <summary>data-access-result and action-result (IEC 62056-53), whose shared numbers mean the same.</summary>
public enum AccessResult : byte
{
    Success = 0,
    HardwareFault = 1,
    TemporaryFailure = 2,
    ReadWriteDenied = 3,
    ObjectUndefined = 4,
    ObjectClassInconsistent = 9,
    ObjectUnavailable = 11,
    TypeUnmatched = 12,
    ScopeOfAccessViolated = 13,
    DataBlockUnavailable = 14,
    LongTransferAborted = 15,
    NoLongTransferInProgress = 16,
    LongSetAborted = 17,
    NoLongSetInProgress = 18,
    DataBlockNumberInvalid = 19,
    OtherReason = 250,
}

/// <summary>The form of a get, set or action message.</summary>
public enum ServiceForm : byte
{
    None = 0,
    /// <summary>One target.</summary>
    Normal = 1,
    /// <summary>Asks for the next block, or acknowledges one.</summary>
    Next = 2,
    /// <summary>Several targets.</summary>
    List = 3,
    /// <summary>One target and the first block of its data.</summary>
    FirstBlock = 4,
    /// <summary>A further block of data, or a block of the answer.</summary>
    Block = 5,
    /// <summary>Result of a transfer in blocks with the number of the last.</summary>
    LastBlock = 6,
}

/// <summary>Which forms the choices of each service are; 0xFF in a byte of invoke id is never read as form.</summary>
internal static class ServiceForms
{
    private static readonly (ApduTag Tag, byte Choice, ServiceForm Form)[] Known =
    [
        (ApduTag.GetRequest, 1, ServiceForm.Normal), (ApduTag.GetRequest, 2, ServiceForm.Next),
        (ApduTag.GetRequest, 3, ServiceForm.List),
        (ApduTag.SetRequest, 1, ServiceForm.Normal), (ApduTag.SetRequest, 2, ServiceForm.FirstBlock),
        (ApduTag.SetRequest, 3, ServiceForm.Block), (ApduTag.SetRequest, 4, ServiceForm.List),
        (ApduTag.ActionRequest, 1, ServiceForm.Normal), (ApduTag.ActionRequest, 2, ServiceForm.Next),
        (ApduTag.ActionRequest, 3, ServiceForm.List), (ApduTag.ActionRequest, 4, ServiceForm.FirstBlock),
        (ApduTag.ActionRequest, 6, ServiceForm.Block),
        (ApduTag.GetResponse, 1, ServiceForm.Normal), (ApduTag.GetResponse, 2, ServiceForm.Block),
        (ApduTag.GetResponse, 3, ServiceForm.List),
        (ApduTag.SetResponse, 1, ServiceForm.Normal), (ApduTag.SetResponse, 2, ServiceForm.Next),
        (ApduTag.SetResponse, 3, ServiceForm.LastBlock), (ApduTag.SetResponse, 5, ServiceForm.List),
        (ApduTag.ActionResponse, 1, ServiceForm.Normal), (ApduTag.ActionResponse, 2, ServiceForm.Block),
        (ApduTag.ActionResponse, 3, ServiceForm.List), (ApduTag.ActionResponse, 4, ServiceForm.Next),
    ];

    public static ServiceForm Of(ApduTag tag, byte choice)
    {
        foreach (var known in Known)
            if (known.Tag == tag && known.Choice == choice) return known.Form;
        return ServiceForm.None;
    }

    public static byte Choice(ApduTag tag, ServiceForm form)
    {
        foreach (var known in Known)
            if (known.Tag == tag && known.Form == form) return known.Choice;
        throw new ArgumentException($"{tag} has no form {form}.");
    }

    /// <summary>Targets or results in one list; more are refused.</summary>
    public const int MaxList = 64;

    /// <summary>One COSEM data, whole.</summary>
    public static ReadOnlySpan<byte> Data(scoped ref WireReader r, ReadOnlySpan<byte> apdu)
    {
        if (r.Failed) return default;
        var at = r.Position;
        if (CosemReader.TrySkip(apdu[at..], out var length, out var error)) return r.Bytes(length);
        r.Fail(error.IsError ? error.Code : WireCode.Truncated, at + error.Offset);
        return default;
    }

    /// <summary>A truth value of A-XDR: a byte, any but 0 is true.</summary>
    public static bool Flag(scoped ref WireReader r) => r.Byte() != 0;

    /// <summary>The byte before something that may be missing: 0 or 1.</summary>
    public static bool IsPresent(scoped ref WireReader r)
    {
        var at = r.Position;
        var b = r.Byte();
        if (b > 1) r.Fail(WireCode.BadValue, at);
        return b == 1;
    }

    public static int Count(scoped ref WireReader r)
    {
        var at = r.Position;
        var count = r.Length();
        if (count is 0 or > MaxList) r.Fail(WireCode.TooManyElements, at);
        return r.Failed ? 0 : count;
    }
}

/// <summary>
/// An event-notification-request (0xC2): what an object reports on its own, at a time that may be missing.
/// </summary>
public readonly ref struct EventNotification
{
    public bool HasTime { get; init; }
    public CosemDateTime Time { get; init; }
    public CosemTarget Target { get; init; }

    /// <summary>One COSEM data.</summary>
    public ReadOnlySpan<byte> Value { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out EventNotification result, out WireError error)
    {
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.EventNotification) r.Fail(WireCode.UnknownTag, 0);
        var hasTime = ServiceForms.IsPresent(ref r);
        var time = default(CosemDateTime);
        if (hasTime && !r.Failed)
        {
            var at = r.Position + 1;
            if (!CosemDateTime.TryRead(r.Octets(), out time, out var bad)) r.Fail(bad.Code, at + bad.Offset);
        }
        var target = CosemTarget.Read(ref r);
        var value = ServiceForms.Data(ref r, apdu);
        r.AtEnd();
        error = r.Error;
        result = r.Failed ? default
            : new EventNotification { HasTime = hasTime, Time = time, Target = target, Value = value };
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        w.Byte((byte)ApduTag.EventNotification);
        w.Bool(HasTime);
        if (HasTime)
        {
            w.Byte(CosemDateTime.Bytes);
            Time.Write(w);
        }
        Target.Write(w);
        w.Bytes(Value);
    }
}
