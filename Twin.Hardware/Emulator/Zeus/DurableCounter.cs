namespace Twin.Hardware.Emulator.Zeus;

/// <summary>
/// A counter that never gives a number twice, over any power cut: it writes a reservation of <see cref="Step"/> numbers
/// to memory that lasts before it gives the first of them, and begins behind the reservation when power returns. A cut
/// costs at most <see cref="Step"/> numbers. The reservation lies in two cells written in turn; a cut during a write
/// tears one, and then nothing of the new reservation was given out.
/// </summary>
public sealed class DurableCounter
{
    /// <summary>Numbers reserved at once: a counter jumps by less than this at a power cut.</summary>
    public const uint Step = 16;

    // Each cell: generation of the key in the high half, first number not reserved in the low half; 0 is torn or empty.
    private ulong _cellA, _cellB;
    private uint _generation = 1, _next = 1, _reserved = 1;
    private bool _cutNextWrite, _dead;

    public DurableCounter() => _cellA = Cell(1, 1);

    /// <summary>The number that comes next.</summary>
    public uint Next => _next;

    /// <summary>Gives the next number; false when all are used up: only a new key helps.</summary>
    /// <exception cref="PowerLossException">The supply failed while the reservation was written.</exception>
    public bool TryTake(out uint number)
    {
        number = 0;
        if (_dead) throw new PowerLossException();
        if (_next >= uint.MaxValue - Step) return false;
        if (_next == _reserved)
        {
            Write(_generation, _reserved + Step);
            _reserved += Step;
        }
        number = _next++;
        return true;
    }

    /// <summary>A new key: numbers begin at 1 again.</summary>
    public void Restart()
    {
        _generation++;
        Write(_generation, 1);
        (_next, _reserved) = (1, 1);
    }

    /// <summary>The supply fails during the next write.</summary>
    public void CutNextWrite() => _cutNextWrite = true;

    /// <summary>Power returns: what was reserved counts as given.</summary>
    public void PowerOn()
    {
        var newest = Math.Max(_cellA, _cellB);
        (_generation, _next) = ((uint)(newest >> 32), (uint)(newest & uint.MaxValue));
        (_reserved, _dead, _cutNextWrite) = (_next, false, false);
    }

    private void Write(uint generation, uint upTo)
    {
        ref var cell = ref _cellA <= _cellB ? ref _cellA : ref _cellB;
        cell = 0;
        if (_cutNextWrite)
        {
            _dead = true;
            throw new PowerLossException();
        }
        cell = Cell(generation, upTo);
    }

    private static ulong Cell(uint generation, uint upTo) => (ulong)generation << 32 | upTo;
}

/// <summary>What a receiver thinks of a counter.</summary>
public enum CounterVerdict : byte
{
    Fresh = 1,
    /// <summary>The same bytes again, or an old frame that was overtaken: dropped, no offence.</summary>
    Duplicate = 2,
    /// <summary>A number that was used by other bytes, or one from long ago.</summary>
    Replay = 3,
}

/// <summary>
/// Counters of frames to the meter. Only a number above the last is executed. A frame that was overtaken on its way,
/// or the same bytes again, is dropped in silence; other bytes under a used number, and numbers further back than
/// <see cref="Window"/>, are a replay. It lasts without power.
/// </summary>
public sealed class ReceiveCounter
{
    /// <summary>How far back a late frame may lie; of each number since it is kept what came under it.</summary>
    public const int Window = 64;

    // 32 bits of the digest are enough to tell a frame from another under the same number. Memory comes with the first.
    private (uint Number, uint Digest)[] _came = [];

    public uint Last { get; private set; }

    /// <summary>Judges a number whose frame was authentic, and takes it when it is fresh.</summary>
    public CounterVerdict Take(uint number, ulong digest)
    {
        if (_came.Length == 0) _came = new (uint, uint)[Window + 1];
        if (number <= Last && Last - number > Window) return CounterVerdict.Replay;
        ref var came = ref _came[number % (Window + 1)];
        var mark = unchecked((uint)(digest ^ digest >> 32));
        if (number > Last)
        {
            (Last, came) = (number, (number, mark));
            return CounterVerdict.Fresh;
        }
        if (came.Number != number) came = (number, mark);
        return came.Digest == mark ? CounterVerdict.Duplicate : CounterVerdict.Replay;
    }

    /// <summary>A new key.</summary>
    public void Restart()
    {
        Last = 0;
        Array.Clear(_came);
    }
}
