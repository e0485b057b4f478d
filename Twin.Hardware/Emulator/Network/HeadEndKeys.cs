using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Network;

/// <summary>
/// The symmetric keys of all meters as the head-end holds them, handed over at enrolment. They come from the seed of an
/// emulated world, so that one seed gives one run; a real head-end draws its keys from the operating system's
/// generator. After a rollover frames under the key before still open: they may be on their way. Its text shows no key.
/// </summary>
public sealed class HeadEndKeys(ulong seed) : IFrameCipher, IDisposable
{
    /// <summary>Suite of the meters' keys: AES-GCM-128.</summary>
    internal const int Suite = 1;

    private sealed class Held(MeterKeys keys) : IDisposable
    {
        public readonly MeterKeys Keys = keys;
        public FrameKey Current = new(keys.Unicast, keys.Authentication);
        public FrameKey? Before, Next;
        public byte[] NextBytes = [];
        public int Generation;

        public void Dispose()
        {
            Current.Dispose();
            Before?.Dispose();
            Next?.Dispose();
        }
    }

    private readonly SortedDictionary<ulong, Held> _meters = [];

    public int Count => _meters.Count;

    /// <summary>The keys that a factory loads into a meter. The head-end takes them over.</summary>
    internal MeterKeys Enrol(MeterId meter)
    {
        var keys = MeterKeys.For(seed, meter.Value, Suite);
        _meters.Add(meter.Value, new Held(keys));
        return keys;
    }

    /// <summary>How often the meter's unicast key was rolled over.</summary>
    public int Generation(MeterId meter) => _meters[meter.Value].Generation;

    /// <summary>Makes the unicast key that comes next, wrapped under the master key (RFC 3394).</summary>
    internal byte[] WrapNext(MeterId meter)
    {
        var held = _meters[meter.Value];
        var next = MeterKeys.For(unchecked(seed + 0x9E3779B97F4A7C15UL * ((ulong)held.Generation + 1)), meter.Value,
            Suite).Unicast;
        var wrapped = new byte[next.Length + KeyWrap.Overhead];
        KeyWrap.Wrap(held.Keys.Master, next, wrapped);
        held.Next?.Dispose();
        (held.Next, held.NextBytes) = (new FrameKey(next, held.Keys.Authentication), next);
        return wrapped;
    }

    /// <summary>Commands go under the current key from now on, their counter beginning again.</summary>
    internal void Hand(MeterId meter, HeadEndDesk desk)
    {
        var held = _meters[meter.Value];
        desk.Rekey(meter, held.NextBytes, held.Keys.Authentication);
    }

    /// <summary>True when a message opens under the key that comes next: then that is the current one.</summary>
    internal bool TryAdvance(MeterId meter, in Protected message)
    {
        var held = _meters[meter.Value];
        if (held.Next is not { } next
            || !message.TryOpen(next, meter, new byte[message.Payload.Length], out _, out _)) return false;
        held.Before?.Dispose();
        (held.Before, held.Current, held.Next) = (held.Current, next, null);
        held.Generation++;
        return true;
    }

    /// <summary>The keys of the first generation, for whoever opens frames with keys of his own.</summary>
    public FrameKeys ToFrameKeys()
    {
        var frameKeys = new FrameKeys();
        foreach (var (value, held) in _meters)
        {
            var (meter, keys) = (new MeterId(value), held.Keys);
            frameKeys.Set(meter, KeyUse.GlobalUnicast, keys.Unicast, keys.Authentication);
            frameKeys.Set(meter, KeyUse.GlobalBroadcast, keys.Broadcast, keys.Authentication);
            frameKeys.SetMaster(meter, keys.Master, keys.Authentication);
        }
        return frameKeys;
    }

    /// <summary>The metrology keys, handed over at enrolment: load profiles are held against their seals.</summary>
    public SealKeys ToSealKeys()
    {
        var seals = new SealKeys();
        foreach (var (value, held) in _meters) seals.Set(new MeterId(value), held.Keys.Metrology);
        return seals;
    }

    public WireCode Seal(in CipherContext context, ReadOnlySpan<byte> plain, Span<byte> cipher, Span<byte> tag) =>
        context.Use == KeyUse.GlobalUnicast && _meters.TryGetValue(context.Meter.Value, out var held)
            ? held.Current.Seal(context, plain, cipher, tag) : WireCode.NoKey;

    public WireCode Open(in CipherContext context, ReadOnlySpan<byte> cipher, ReadOnlySpan<byte> tag, Span<byte> plain)
    {
        if (context.Use != KeyUse.GlobalUnicast || !_meters.TryGetValue(context.Meter.Value, out var held))
            return WireCode.NoKey;
        var code = held.Current.Open(context, cipher, tag, plain);
        return code == WireCode.AuthenticationFailed && held.Before is not null
            ? held.Before.Open(context, cipher, tag, plain) : code;
    }

    public void Dispose()
    {
        foreach (var held in _meters.Values) held.Dispose();
        _meters.Clear();
    }

    public override string ToString() => $"keys of {Count} meters";
}
