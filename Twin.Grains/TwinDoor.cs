using Twin.Hardware;
using Twin.Hardware.Coding;

namespace Twin.Grains;

/// <summary>One input that a twin accepted, waiting for its place in the journal.</summary>
public readonly record struct AcceptedInput(int Item, int Offset, int Length, int Day, long EndMinute, bool Sealable);

/// <summary>
/// A twin's door, the same in every engine: judges an input, and applies at once what is left of it, so that the next
/// item of the step sees it. One at a time.
/// </summary>
public sealed class TwinDoor(ITwinFactory factory) : IAccepted
{
    private readonly ByteWriter _bytes = new();
    private int _item;

    /// <summary>What was accepted since <see cref="Clear"/>, in order.</summary>
    public List<AcceptedInput> Accepted { get; } = [];

    public ReadOnlySpan<byte> Bytes(in AcceptedInput a) => _bytes.Written.Slice(a.Offset, a.Length);

    public void Clear()
    {
        Accepted.Clear();
        _bytes.Clear();
    }

    /// <param name="item">Number of the input in its batch; goes into <see cref="Accepted"/>.</param>
    /// <param name="key">The twin addressed.</param>
    /// <param name="twin">The twin, or null; a first accepted input makes it.</param>
    /// <param name="input">The input, encoded.</param>
    /// <param name="recall">What the history holds.</param>
    /// <param name="wasTold">Whether the journal has the item, asked if the twin cannot tell.</param>
    /// <param name="outbox">Opened for the twin.</param>
    public Admission Admit(int item, TwinKey key, ref TwinState? twin, ReadOnlySpan<byte> input, IRecall recall,
        Func<int, bool> wasTold, IOutbox outbox)
    {
        _item = item;
        var from = Accepted.Count;
        var asked = twin;
        Admission result;
        try
        {
            if (Input.KeyedByContent(Envelope.Read(input).Kind) && asked?.IsSurelyNew(input) is not true
                && wasTold(item))
                return Admission.Repeat;
            asked ??= factory.Create(key);
            result = asked.Admit(input, recall, this);
        }
        catch (InvalidDataException e)
        {
            result = Admission.Reject(e.Message);
        }
        if (result.Status != AdmissionStatus.Accepted || asked is null)
        {
            Accepted.RemoveRange(from, Accepted.Count - from);
            return result;
        }
        twin = asked;
        for (var i = from; i < Accepted.Count; i++) asked.Apply(Bytes(Accepted[i]), outbox);
        return result;
    }

    void IAccepted.Add(ReadOnlySpan<byte> input, int day, long endMinute, bool sealable)
    {
        Accepted.Add(new AcceptedInput(_item, _bytes.Length, input.Length, day, endMinute, sealable));
        _bytes.Bytes(input);
    }
}
