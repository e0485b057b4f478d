using System.Text;
using Twin.Hardware.Attestation;
using Twin.Hardware.Coding;
using Twin.Hardware.Crypto;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// The emulated head-end's side of the wire: makes commands for meters under their keys with a counter of its own a
/// meter, opens what they push, signs reaction tables and checkpoints. For emulated worlds only: its keys come from a
/// seed. An attacker with stolen keys has one of these too.
/// </summary>
public sealed class HeadEndDesk(ulong title, SigningKey key, ulong keySeed, int suite)
{
    private readonly Dictionary<ulong, (FrameKey Key, uint Counter)> _meters = [];

    public ulong Title => title;
    public EcPublicKey PublicKey => key.PublicKey;

    /// <summary>A reaction table with the head-end's signature.</summary>
    public byte[] Sign(ReactionTable table) => table.ToSigned(digest => key.Sign(digest));

    /// <summary>A checkpoint with the head-end's signature.</summary>
    public byte[] Sign(CakCheckpoint checkpoint) =>
        checkpoint.WithSignature(key.Sign(checkpoint.ToSign(key.PublicKey.Curve)));

    /// <summary>Counter of the last frame to a meter.</summary>
    public uint LastCounter(MeterId meter) => Of(meter).Counter;

    /// <summary>
    /// A request of <see cref="MeterCommands"/> as a frame: general-ciphering under the unicast key, the work order as
    /// other-information, in the TCP wrapper.
    /// </summary>
    public byte[] Frame(MeterId meter, ReadOnlySpan<byte> request, string order)
    {
        var (frameKey, counter) = Of(meter);
        counter = checked(counter + 1);
        _meters[meter.Value] = (frameKey, counter);
        var apdu = new ByteWriter(request.Length + 80);
        var head = new GeneralHead
        {
            Originator = MeterKeys.Title(title), Recipient = MeterKeys.Title(meter.Value),
            OtherInformation = Encoding.UTF8.GetBytes(order),
        };
        var code = Protected.WriteGeneral(apdu, frameKey, meter, head, new GeneralKey { Use = KeyUse.GlobalUnicast },
            new SecurityControl(suite, true, true), counter, request);
        if (code != WireCode.None) throw new InvalidOperationException($"A command was not sealed: {code}.");
        var frame = new ByteWriter(apdu.Length + TcpWrapper.HeaderBytes);
        TcpWrapper.Write(frame, 102, 1, apdu.Written);
        return frame.ToArray();
    }

    /// <summary>
    /// Opens a frame that a meter pushed: the body of its data-notification. Null when it is none of ours.
    /// </summary>
    public byte[]? Open(MeterId meter, ReadOnlySpan<byte> frame)
    {
        if (!TcpWrapper.TryRead(frame, out var wrapped, out _)
            || !Protected.TryRead(wrapped.Apdu, default, out var message, out _)) return null;
        var plain = new byte[message.Payload.Length];
        if (!message.TryOpen(Of(meter).Key, meter, plain, out _, out _)) return null;
        return DataNotification.TryRead(plain, out var notification, out _) ? notification.Body.ToArray() : null;
    }

    /// <summary>The unicast key was replaced: counters begin anew.</summary>
    public void Rekey(MeterId meter, ReadOnlySpan<byte> unicast, ReadOnlySpan<byte> authentication)
    {
        if (_meters.Remove(meter.Value, out var old)) old.Key.Dispose();
        _meters[meter.Value] = (new FrameKey(unicast, authentication), 0);
    }

    private (FrameKey Key, uint Counter) Of(MeterId meter)
    {
        if (_meters.TryGetValue(meter.Value, out var known)) return known;
        var keys = MeterKeys.For(keySeed, meter.Value, suite);
        return _meters[meter.Value] = (new FrameKey(keys.Unicast, keys.Authentication), 0);
    }

    public override string ToString() => $"head-end {title:x16}, {_meters.Count} meters";
}
