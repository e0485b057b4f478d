using Twin.Hardware;
using Twin.Hardware.Attestation;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;
using Twin.Ingest.Readers;

namespace Twin.Ingest.Dlms;

/// <summary>
/// What became of a frame. <paramref name="Confirm"/>: the long invoke id to confirm once what the frame held is
/// durable; null when nobody asked, or when a confirmation would have to be ciphered.
/// </summary>
public readonly record struct FrameResult(bool IsValid, FrameFaultKind Fault, int Offset, string Reason, uint? Confirm)
{
    public static FrameResult Valid(uint? confirm = null) => new(true, default, 0, "", confirm);

    public static FrameResult Rejected(FrameFaultKind fault, int offset, string reason) =>
        new(false, fault, offset, reason, null);
}

/// <summary>
/// Frames to inputs. An authenticated frame gives <see cref="FrameReceived"/> first and then what it held; the twin
/// judges the counter. A frame that cannot be taken gives <see cref="FrameFault"/> where its meter and a time are
/// known, and is counted in any case. A sound frame whose load profile is not what the metrology sealed is taken with
/// its readings suspect, and gives a fault too. Safe for many channels at once; a channel is used by one thread at a
/// time.
/// </summary>
/// <param name="keys">Keys to open frames with; null: keyless, ciphered frames stay closed.</param>
/// <param name="keyed">Meters that there are keys for: of these, unprotected frames are refused.</param>
/// <param name="seals">
/// Metrology keys: load profiles in authenticated frames are held against their seals. Null: nobody holds them.
/// </param>
public sealed class FrameIntake(IFrameCipher? keys, IReadOnlySet<MeterId> keyed, SealKeys? seals = null)
{
    /// <summary>Receives without keys: the head-end decrypts.</summary>
    public static FrameIntake Keyless { get; } = new(null, new HashSet<MeterId>());

    /// <summary>Bit of the long invoke id that asks for a confirmation (service class, IEC 62056-5-3).</summary>
    private const uint ConfirmedBit = 1u << 30;

    private readonly Lock _lock = new();

    /// <summary>Takes one frame of a link.</summary>
    /// <param name="received">
    /// When it was heard: the log's stamp, or the clock of a live receiver; null: unknown.
    /// </param>
    public FrameResult Take(FrameChannel channel, LinkKind link, ReadOnlySpan<byte> frame, UnixTime? received,
        ObservationSink sink)
    {
        var work = new FrameWork(channel, sink, received);
        if (!TryUnwrap(channel, link, frame, out var apdu, out var at, out var error))
            return Fault(work, FrameFaultKind.Malformed, error, frame);
        return apdu.IsEmpty ? FrameResult.Valid() : TakeApdu(work, apdu, at);
    }

    /// <summary>A frame that did not even come out of the splitter.</summary>
    public FrameResult Refuse(FrameChannel channel, ReadOnlySpan<byte> piece, WireError error, UnixTime? received,
        ObservationSink sink) => Fault(new FrameWork(channel, sink, received), FrameFaultKind.Malformed, error, piece);

    /// <summary>The APDU of a frame; empty while parts are missing, or when a frame carries none.</summary>
    private static bool TryUnwrap(FrameChannel channel, LinkKind link, ReadOnlySpan<byte> frame,
        out ReadOnlySpan<byte> apdu, out int at, out WireError error)
    {
        apdu = default;
        at = 0;
        if (link == LinkKind.Wrapper)
        {
            var ok = TcpWrapper.TryRead(frame, out var wrapper, out error);
            apdu = wrapper.Apdu;
            at = TcpWrapper.HeaderBytes;
            return ok;
        }
        if (link == LinkKind.Mbus)
        {
            if (!Mbus.TryRead(frame, out var part, out error)
                || !channel.Parts.TryAdd(part, out var whole, out error)) return false;
            if (whole) apdu = channel.Parts.Message;
            at = part.Sequence == 0 ? 9 : 0;
            return true;
        }
        if (!Hdlc.TryRead(frame, out var hdlc, out error)) return false;
        if (hdlc.Information.IsEmpty) return true;
        if (!channel.Parts.TryAdd(hdlc, out var complete, out error)) return false;
        if (!complete) return true;
        at = hdlc.InformationOffset + Llc.Bytes;
        if (Llc.TryRead(channel.Parts.Message, out apdu, out _, out error)) return true;
        error = error.Within(hdlc.InformationOffset);
        return false;
    }

    private FrameResult TakeApdu(in FrameWork work, ReadOnlySpan<byte> apdu, int at)
    {
        var tag = ApduTags.Of(apdu);
        if (tag.IsCiphered()) return TakeCiphered(work, apdu, at);
        if (!Enum.IsDefined(tag) || tag == ApduTag.None)
            return Fault(work, FrameFaultKind.Malformed, new WireError(WireCode.UnknownTag, at), apdu);
        // Associations and answers of a recorded session are sound and say nothing that a twin keeps.
        return tag == ApduTag.DataNotification ? TakeNotification(work, apdu, at, null) : FrameResult.Valid();
    }

    private FrameResult TakeCiphered(FrameWork work, ReadOnlySpan<byte> apdu, int at)
    {
        if (!Protected.TryRead(apdu, default, out var sealed_, out var error))
            return Fault(work, error.Code == WireCode.NoKey ? FrameFaultKind.UnknownKey : FrameFaultKind.Malformed,
                error.Within(at), apdu);
        var meter = MeterId.FromSystemTitle(sealed_.Originator);
        if (meter.Value == TwinKey.Everyone)
            return Fault(work, FrameFaultKind.Malformed, new WireError(WireCode.BadValue, at), apdu);
        work = work with { Named = meter.ToString() };
        work.Channel.Name(meter.ToString());
        if (keys is null)
            return Fault(work, FrameFaultKind.UnknownKey, new WireError(WireCode.NoKey, at + sealed_.PayloadOffset),
                apdu);
        var plain = new byte[sealed_.Payload.Length];
        bool opened;
        lock (_lock) opened = sealed_.TryOpen(keys, meter, plain, out _, out error);
        if (!opened) return Fault(work, KindOf(error.Code), error.Within(at), apdu);
        var frame = new Authentic(SlotOf(sealed_.Use), sealed_.InvocationCounter, Digest.Of(apdu).Short, apdu.Length);
        if (ApduTags.Of(plain) == ApduTag.DataNotification)
            return TakeNotification(work, plain, at + sealed_.PayloadOffset, frame);
        var service = ServiceOf(ApduTags.Of(plain));
        if (work.Received is { } time && work.Check(time) is null) work.Heard(frame, time, service);
        return FrameResult.Valid();
    }

    private static FrameFaultKind KindOf(WireCode code) => code switch
    {
        WireCode.AuthenticationFailed or WireCode.KeyUnwrapFailed => FrameFaultKind.TagFailed,
        WireCode.NoKey or WireCode.KeyAgreementFailed => FrameFaultKind.UnknownKey,
        WireCode.SignatureFailed => FrameFaultKind.SignatureFailed,
        _ => FrameFaultKind.Malformed,
    };

    /// <summary>The slot whose counter the message uses; a dedicated key lives as long as its association.</summary>
    private static KeySlot SlotOf(KeyUse use) => use switch
    {
        KeyUse.GlobalUnicast => KeySlot.EncryptionUnicast,
        KeyUse.GlobalBroadcast => KeySlot.EncryptionBroadcast,
        KeyUse.Wrapped => KeySlot.Master,
        KeyUse.Agreed => KeySlot.KeyAgreement,
        _ => KeySlot.None,
    };

    private static FrameService ServiceOf(ApduTag tag) => tag switch
    {
        ApduTag.EventNotification => FrameService.EventNotification,
        ApduTag.GetRequest or ApduTag.GetResponse => FrameService.Get,
        ApduTag.SetRequest or ApduTag.SetResponse => FrameService.Set,
        ApduTag.ActionRequest or ApduTag.ActionResponse => FrameService.Action,
        ApduTag.InitiateRequest or ApduTag.InitiateResponse => FrameService.Association,
        _ => FrameService.Other,
    };

    private FrameResult TakeNotification(FrameWork work, ReadOnlySpan<byte> apdu, int at, Authentic? frame)
    {
        if (!DataNotification.TryRead(apdu, out var push, out var error))
            return Fault(work, FrameFaultKind.Malformed, error.Within(at), apdu);
        var content = PushContent.Read(push, work.Channel, work.Received, out error);
        if (content is null) return WithoutContent(work, push, apdu, error.Within(at + push.BodyOffset), frame);
        if (frame is null && content.Meter is { } named)
        {
            work.Channel.Name(named);
            work = work with { Named = named };
        }
        var meter = work.Meter;
        if (frame is null && meter is not null && keyed.Contains(MeterId.ParseOrMap(meter)))
            return Fault(work, FrameFaultKind.Unprotected, at, "the meter has keys and the frame is not protected",
                apdu);
        var own = content.Time;
        var time = own ?? work.Received ?? work.Channel.LastTime;
        if ((content.Latest ?? time) is { } known && work.Check(known) is { } wrong)
            return FrameResult.Rejected(FrameFaultKind.Malformed, at, wrong);
        if (time is { } t) work.Channel.Note(t);
        if (content.IsEmpty && frame is null) return FrameResult.Valid();
        if (meter is null)
            return FrameResult.Rejected(FrameFaultKind.Malformed, at,
                "nothing tells whose frame this is; give --meter");
        if (time is not { } when)
            return FrameResult.Rejected(FrameFaultKind.Malformed, at,
                "nothing tells the time of this frame: neither its clock, nor the log, nor a frame before it");
        if (frame is { } authentic) EmitAuthentic(work, content, authentic, meter, when, at);
        else content.Emit(meter, when, work.Received, work.Sink);
        var confirm = frame is null && (push.LongInvokeId & ConfirmedBit) != 0 ? push.LongInvokeId : (uint?)null;
        return FrameResult.Valid(confirm);
    }

    /// <summary>
    /// The frame, what it holds, and behind it a fault when its load profile is not what the metrology sealed. That a
    /// seal holds, or is missing, goes as the frame's service: it costs no input of its own.
    /// </summary>
    private void EmitAuthentic(in FrameWork work, PushContent content, in Authentic frame, string meter, UnixTime when,
        int at)
    {
        var id = MeterId.ParseOrMap(meter);
        var verdict = seals is null || !content.HasProfile ? SealVerdict.NoKey : content.Judge(seals, id);
        var broken = verdict == SealVerdict.Broken ? content.Mistrust() : null;
        work.Heard(frame, when, verdict switch
        {
            SealVerdict.Holds => FrameService.SealedProfile,
            SealVerdict.Missing => FrameService.UnsealedProfile,
            _ => FrameService.DataNotification,
        });
        content.Emit(meter, when, work.Received, work.Sink);
        if (broken is not null)
            work.Sink.Other(meter, new FrameFault(id.Twin, when, FrameFaultKind.SealBroken, at, frame.BytesDigest,
                work.Channel.Where, broken), when);
    }

    /// <summary>
    /// A push whose body is not known. Its counter counts all the same; a list that this version cannot read is
    /// nobody's fault and only counted.
    /// </summary>
    private static FrameResult WithoutContent(in FrameWork work, in DataNotification push, ReadOnlySpan<byte> apdu,
        WireError error, Authentic? frame)
    {
        var time = (push.HasTime ? work.Channel.TimeOf(push.Time) : null) ?? work.Received ?? work.Channel.LastTime;
        if (frame is { } authentic && time is { } at && work.Check(at) is null)
            work.Heard(authentic, at, FrameService.DataNotification);
        return error.Code == WireCode.Unsupported
            ? FrameResult.Rejected(FrameFaultKind.Malformed, error.Offset, error.Describe())
            : Fault(work, FrameFaultKind.Malformed, error, apdu);
    }

    private static FrameResult Fault(in FrameWork work, FrameFaultKind kind, WireError error, ReadOnlySpan<byte> bytes)
        => Fault(work, kind, error.Offset, error.Describe(), bytes);

    private static FrameResult Fault(in FrameWork work, FrameFaultKind kind, int offset, string reason,
        ReadOnlySpan<byte> bytes)
    {
        var time = work.Received ?? work.Channel.LastTime;
        if (work.Meter is { } meter && time is { } at && work.Check(at) is null)
        {
            var subject = MeterId.ParseOrMap(meter).Twin;
            work.Sink.Other(meter, new FrameFault(subject, at, kind, offset, Digest.Of(bytes).Short,
                work.Channel.Where, reason), at);
        }
        return FrameResult.Rejected(kind, offset, reason);
    }
}

/// <summary>What authentication told of a frame.</summary>
internal readonly record struct Authentic(KeySlot Key, uint Counter, ulong BytesDigest, int Size);

/// <summary>One frame under way. <paramref name="Named"/>: the meter that the frame itself names.</summary>
internal readonly record struct FrameWork(FrameChannel Channel, ObservationSink Sink, UnixTime? Received,
    string? Named = null)
{
    public string? Meter => Named ?? Channel.Meter;

    /// <summary>Null when meter and time can be taken; else why not.</summary>
    public string? Check(UnixTime time) =>
        (Meter is { } meter ? Sink.Check(meter) : null) ?? Sink.Check(time);

    public void Heard(in Authentic frame, UnixTime at, FrameService service)
    {
        var subject = MeterId.ParseOrMap(Meter!).Twin;
        Sink.Other(Meter!, new FrameReceived(subject, at, frame.Key, FrameDirection.FromMeter, frame.Counter,
            frame.BytesDigest, frame.Size, service), at);
    }
}
