using Twin.Hardware.Coding;

namespace Twin.Hardware.Wire;

/// <summary>One general-block-transfer APDU (0xE0).</summary>
public readonly ref struct GeneralBlock
{
    /// <summary>Largest window that fits its six bits.</summary>
    public const int MaxWindow = 63;

    public bool IsLast { get; init; }
    public bool IsStreaming { get; init; }

    /// <summary>Blocks that the sender of this one can take at once.</summary>
    public int Window { get; init; }

    /// <summary>From 1.</summary>
    public ushort Number { get; init; }

    /// <summary>The last block of the other side that came in order.</summary>
    public ushort Acknowledged { get; init; }

    public ReadOnlySpan<byte> Data { get; init; }

    public static bool TryRead(ReadOnlySpan<byte> apdu, out GeneralBlock block, out WireError error)
    {
        var r = new WireReader(apdu);
        if (r.Byte() != (byte)ApduTag.GeneralBlockTransfer) r.Fail(WireCode.UnknownTag, 0);
        var control = r.Byte();
        var (number, acknowledged) = (r.UInt16(), r.UInt16());
        if (!r.Failed && number == 0) r.Fail(WireCode.BadValue, 2);
        var data = r.Octets();
        r.AtEnd();
        error = r.Error;
        block = r.Failed ? default : new GeneralBlock
        {
            IsLast = (control & 0x80) != 0,
            IsStreaming = (control & 0x40) != 0,
            Window = control & MaxWindow,
            Number = number,
            Acknowledged = acknowledged,
            Data = data,
        };
        return !r.Failed;
    }

    public void Write(ByteWriter w)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Window, MaxWindow);
        w.Byte((byte)ApduTag.GeneralBlockTransfer);
        w.Byte((byte)((IsLast ? 0x80 : 0) | (IsStreaming ? 0x40 : 0) | Window));
        w.BigUInt16(Number);
        w.BigUInt16(Acknowledged);
        w.Octets(Data);
    }
}

/// <summary>
/// The receiving side of a block transfer: takes blocks in their order, knows which came last. A block that came before
/// is ignored (its acknowledgement was lost); a block out of order is refused and must come again behind those that
/// miss. Bounded by <see cref="MessageAssembly.MaxBytes"/>.
/// </summary>
public sealed class BlockReceiver
{
    private readonly MessageAssembly _message = new();

    /// <summary>The last block that came in order; 0 before the first.</summary>
    public ushort Acknowledged { get; private set; }

    public bool IsComplete { get; private set; }

    /// <summary>The whole message, once complete.</summary>
    public ReadOnlySpan<byte> Message => IsComplete ? _message.Message : default;

    /// <summary>Makes ready for another message.</summary>
    public void Reset()
    {
        _message.Reset();
        (Acknowledged, IsComplete) = (0, false);
    }

    /// <summary>Takes a block; an error's offset counts in its data.</summary>
    public bool TryAdd(in GeneralBlock block, out WireError error) =>
        TryAdd(block.Number, block.IsLast, block.Data, out error);

    /// <summary>
    /// Takes a block of a service-specific transfer (get, set or action), whose numbers are the same.
    /// </summary>
    public bool TryAdd(uint number, bool isLast, ReadOnlySpan<byte> data, out WireError error)
    {
        error = default;
        if (number != 0 && number <= Acknowledged) return true;
        if (IsComplete || number != Acknowledged + 1u || number > ushort.MaxValue)
        {
            error = new WireError(WireCode.OutOfOrder, 0);
            return false;
        }
        if (!_message.TryAdd(data, isLast, out var complete, out error))
        {
            Reset();
            return false;
        }
        Acknowledged = (ushort)number;
        IsComplete = complete;
        return true;
    }
}

/// <summary>The sending side: one message cut into numbered blocks of at most so many bytes.</summary>
public sealed class BlockSender(ReadOnlyMemory<byte> message, int blockBytes)
{
    private readonly int _blockBytes = blockBytes >= 1 ? blockBytes
        : throw new ArgumentOutOfRangeException(nameof(blockBytes));

    /// <summary>Blocks of the message, at least one.</summary>
    public int Count => Math.Max(1, (message.Length + _blockBytes - 1) / _blockBytes);

    /// <summary>Block <paramref name="number"/>, from 1 to <see cref="Count"/>.</summary>
    public ReadOnlySpan<byte> Data(int number)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(number, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(number, Count);
        var from = (number - 1) * _blockBytes;
        return message.Span[from..Math.Min(message.Length, from + _blockBytes)];
    }

    public bool IsLast(int number) => number == Count;

    /// <summary>Appends a general-block-transfer APDU with this block.</summary>
    public void Write(ByteWriter w, int number, ushort acknowledged, int window) => new GeneralBlock
    {
        IsLast = IsLast(number),
        Window = window,
        Number = checked((ushort)number),
        Acknowledged = acknowledged,
        Data = Data(number),
    }.Write(w);
}
