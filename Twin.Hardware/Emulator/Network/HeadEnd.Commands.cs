using System.Globalization;
using Twin.Hardware.Attestation;
using Twin.Hardware.Emulator.Zeus;
using Twin.Hardware.Wire;

namespace Twin.Hardware.Emulator.Network;

/// <summary>What the head-end asks of single meters.</summary>
public sealed partial class HeadEnd
{
    // Meters whose next key is on its way: the first frame under it, answer or push, shows that it has arrived.
    private readonly SortedSet<int> _pending = [];

    /// <summary>
    /// Orders work on a meter: from now on it may execute these commands. The number of the order.
    /// </summary>
    public string Order(int meter, UnixTime now, string contractor, string note, params CommandKind[] commands)
    {
        var order = "WO-" + (++_orders).ToString("D6", CultureInfo.InvariantCulture);
        var mask = commands.Aggregate(0, (bits, c) => bits | 1 << (int)c);
        _notes.Add(new WorkOrder(_links[meter].Id, now, order, (ushort)mask, now,
            new UnixTime(now.Seconds + 3_600L * WorkOrderHours), contractor, note));
        return order;
    }

    /// <summary>
    /// Sends a command (<see cref="MeterCommands"/>) under the next counter; the order empty when there is none. False
    /// when the meter's queue is full.
    /// </summary>
    public bool Send(int meter, byte[] command, UnixTime now, string order) =>
        Queue(meter, now, HeadEndWork.Command, command, order);

    /// <summary>Asks for a quote over a fresh nonce, with the entries behind the last that came.</summary>
    public UInt128 Challenge(int meter, UnixTime now)
    {
        var nonce = new UInt128(_nonces.NextUInt64(), _nonces.NextUInt64());
        Challenge(meter, now, nonce, "");
        return nonce;
    }

    private bool Challenge(int meter, UnixTime now, UInt128 nonce, string key)
    {
        if (!Queue(meter, now, HeadEndWork.Challenge, MeterCommands.Challenge(nonce, _known[meter].LastSeq), "",
            nonce, key)) return false;
        _notes.Add(new NonceIssued(_links[meter].Id.Twin, now, nonce));
        return true;
    }

    /// <summary>Brings the meter its next unicast key, wrapped under the master key.</summary>
    public bool RollOver(int meter, UnixTime now, string order) => RollOver(meter, now, order, "");

    private bool RollOver(int meter, UnixTime now, string order, string key)
    {
        var wrapped = Keys.WrapNext(_links[meter].Id);
        if (!Queue(meter, now, HeadEndWork.KeyTransfer,
            MeterCommands.TransferKeys(new KeyTransfer.Entry(KeyUse.GlobalUnicast, wrapped)), order, default, key))
            return false;
        _pending.Add(meter);
        return true;
    }

    /// <summary>A reaction table with the head-end's signature.</summary>
    public byte[] Sign(Events.ReactionTable table) => _desk.Sign(table);

    /// <summary>Gives a meter another reaction table, and has the registry know.</summary>
    public bool Assign(int meter, Events.ReactionTable table, UnixTime now)
    {
        if (!Send(meter, MeterCommands.SetReactionTable(Sign(table)), now, "")) return false;
        _notes.Add(new ReactionTableAssigned(_links[meter].Id, now, table.Version, Sign(table)));
        return true;
    }

    /// <summary>A frame under the head-end's own keys that is sent by whoever holds them.</summary>
    public byte[] Forge(int meter, ReadOnlySpan<byte> request, string order) =>
        _desk.Frame(_links[meter].Id, request, order);

    /// <summary>Counter of the last frame to the meter.</summary>
    public uint CounterOf(int meter) => _desk.LastCounter(_links[meter].Id);

    private bool Queue(int meter, UnixTime now, HeadEndWork work, byte[] request, string order,
        UInt128 nonce = default, string key = "")
    {
        if (order.Length == 0) order = "HE-" + (++_numbers).ToString(CultureInfo.InvariantCulture);
        var until = 1_000 * (now.Seconds + 3_600L * OrderHours);
        var task = new HeadEndTask(work, [request], until, order) { Nonce = nonce, Key = key };
        if (!_links[meter].TryAdd(task)) return false;
        Pump(_links[meter], 1_000 * now.Seconds);
        return true;
    }

    private void Checkpoint(HeadEndLink link, uint seq, Digest head, UnixTime at)
    {
        var checkpoint = new CakCheckpoint(link.Id.Value, seq, head);
        if (!Queue(link.Meter, at, HeadEndWork.Checkpoint, MeterCommands.TakeCheckpoint(_desk.Sign(checkpoint)), ""))
            return;
        _known[link.Meter].CheckpointSeq = seq;
        _notes.Add(new CheckpointIssued(link.Id, at, seq, head));
    }

    private void NoteRollover(HeadEndLink link, UnixTime at)
    {
        _pending.Remove(link.Meter);
        Keys.Hand(link.Id, _desk);
        _notes.Add(new KeyEvent(link.Id.Twin, at, KeySlot.EncryptionUnicast, KeyEventKind.Transferred, 1, [],
            default, "head-end"));
    }
}
