using Twin.Hardware.Attestation;
using Twin.Hardware.Events;
using Twin.Hardware.Wire;
using Twin.Hardware.Wire.Reports;

namespace Twin.Hardware.Emulator.Zeus;

public sealed partial class ApplicationCore
{
    private ImageTransfer _transfer;
    private byte[] _buffer = [];
    private FirmwareImage? _image;

    /// <summary>State of the image transfer (class 18).</summary>
    public ImageStatus TransferStatus => _transfer.Status;

    private (CommandResult, string) Challenge(in CosemRequest request, UnixTime now)
    {
        var r = new CosemReader(request.Data);
        if (!r.TryNext(out var root) || root is not { Tag: CosemTag.Structure, Count: 2 } || !r.TryNext(out var nonce)
            || nonce is not { Tag: CosemTag.OctetString, Content.Length: CakQuote.NonceSize }
            || !r.TryNext(out var item) || !item.TryInteger(out var since) || since is < 0 or > uint.MaxValue)
            return (CommandResult.Failed, "no nonce and number");
        var quote = _chip.Quote(System.Buffers.Binary.BinaryPrimitives.ReadUInt128BigEndian(nonce.Content),
            (uint)since, _metrology.SwitchState, Shown(now));
        if (quote is null) return (CommandResult.Failed, "no signing key");
        if (_quotes.Count == MaxQuotes) _quotes.Dequeue();
        _quotes.Enqueue(DeviceReport.WriteQuote(quote));
        return (CommandResult.Done, "quote");
    }

    private (CommandResult, string) TakeCheckpoint(in CosemRequest request, UnixTime now)
    {
        if (!TryOctets(request, out var bytes)) return (CommandResult.Failed, "no checkpoint");
        var outcome = _chip.TakeCheckpoint(bytes, Shown(now));
        return (outcome == CheckpointOutcome.Truncated ? CommandResult.Done : CommandResult.Refused,
            $"checkpoint: {outcome}");
    }

    /// <summary>Takes a table that the head-end signed and that is newer; with it end all holds.</summary>
    private (CommandResult, string) TakeTable(in CosemRequest request, UnixTime now)
    {
        if (!TryOctets(request, out var bytes)) return (CommandResult.Failed, "no table");
        if (!ReactionTable.TryVerify(bytes, _spec.HeadEndKey.Point, out var table, out var reason))
            return (CommandResult.Refused, reason);
        if (table.Version <= Table.Version)
            return (CommandResult.Refused, $"table {table.Version} is not newer than {Table.Version}");
        Table = table;
        (_refuseUntil, _limitUntil) = (long.MinValue, long.MinValue);
        return Configured(FirmwarePart.ReactionTable, table.Digest, now, $"reaction table {table.Version}",
            MeterEventKind.ConfigurationChanged, table.Version);
    }

    /// <summary>
    /// Keys under the master key. The log must have room first. Only a power cut between key and entry leaves a change
    /// that the log does not know; the head-end, whose new key works, does.
    /// </summary>
    private (CommandResult, string) TakeKeys(in CosemRequest request, UnixTime now)
    {
        if (!KeyTransfer.TryRead(request.Data, out var keys, out var error))
            return (CommandResult.Failed, error.Describe());
        foreach (var key in keys)
        {
            if (_chip.Cak.RoomWithReserve == 0) return (CommandResult.Refused, "the attestation log is full");
            var slot = VaultCipher.SlotOf(key.Use);
            if (key.Data.Length != (_spec.Suite == 2 ? 40 : 24)
                || !_chip.Vault.TryUnwrap(KeySlot.Master, key.Data, slot))
                return (CommandResult.Failed, $"key {slot} did not unwrap");
            _chip.Record(new CakEvent(CakEntryKind.KeyChange, FirmwarePart.Device, Detail: (ushort)slot), Shown(now));
            if (slot != KeySlot.EncryptionUnicast) continue;
            _out.Restart();
            _in.Restart();
        }
        Happen(MeterEventKind.KeysChanged, now);
        return (CommandResult.Done, $"{keys.Length} keys");
    }

    private (CommandResult, string) TransferImage(in CosemRequest request, in Caller caller, UnixTime now) =>
        request.Target.Index switch
        {
            MeterCommands.InitiateMethod => Initiate(request),
            MeterCommands.BlockMethod => Block(request),
            MeterCommands.VerifyMethod => Verify(now),
            MeterCommands.ActivateMethod => Activate(caller, now),
            _ => (CommandResult.Failed, "no method of image transfer"),
        };

    private (CommandResult, string) Initiate(in CosemRequest request)
    {
        var r = new CosemReader(request.Data);
        if (!r.TryNext(out var root) || root is not { Tag: CosemTag.Structure, Count: 2 } || !r.TryNext(out var id)
            || id.Tag != CosemTag.OctetString || !r.TryNext(out var item) || !item.TryInteger(out var bytes))
            return (CommandResult.Failed, "no identifier and size");
        var answer = _transfer.Initiate(id.Content, bytes);
        if (answer != AccessResult.Success) return (CommandResult.Refused, $"image transfer: {answer}");
        (_buffer, _image) = (new byte[_transfer.ImageBytes], null);
        return (CommandResult.Done, $"{bytes} bytes expected");
    }

    private (CommandResult, string) Block(in CosemRequest request)
    {
        var r = new CosemReader(request.Data);
        if (!r.TryNext(out var root) || root is not { Tag: CosemTag.Structure, Count: 2 } || !r.TryNext(out var item)
            || !item.TryInteger(out var number) || number is < 0 or > uint.MaxValue || !r.TryNext(out var block)
            || block.Tag != CosemTag.OctetString) return (CommandResult.Failed, "no number and block");
        var verdict = _transfer.Block((uint)number, block.Content.Length);
        if (verdict == BlockVerdict.Store) block.Content.CopyTo(_buffer.AsSpan((int)number * _transfer.BlockSize));
        return verdict == BlockVerdict.Refused ? (CommandResult.Failed, "no block of this image")
            : (CommandResult.Done, "");
    }

    /// <summary>Puts the image into the spare slot and has the bootloader look at it, in one go.</summary>
    private (CommandResult, string) Verify(UnixTime now)
    {
        if (_transfer.Verify() != AccessResult.TemporaryFailure)
            return (_transfer.Status == ImageStatus.VerificationSuccessful ? CommandResult.Done : CommandResult.Refused,
                $"image transfer is {_transfer.Status}, first block missing {_transfer.FirstNotTransferred}");
        var fault = _spec.Shelf.TryTake(_buffer, out var image);
        var sound = fault == ImageFault.None && TryStage(image, now);
        _transfer.Verified(sound);
        _buffer = [];
        _image = sound ? image : null;
        return sound ? (CommandResult.Done, $"verified {image}")
            : (CommandResult.Refused, fault == ImageFault.None ? "the bootloader refuses the image" : $"{fault}");
    }

    /// <summary>Writes an image to its spare slot; true when the bootloader would run it.</summary>
    private bool TryStage(FirmwareImage image, UnixTime now)
    {
        var part = image.Header.Part;
        var room = Array.IndexOf(FlashMap.Parts, part) < 0 ? 0
            : FlashMap.Slot(_chip.Flash.Pages, part, FirmwareSlot.A).Count;
        var sound = image.Pages.Count <= room;
        if (sound)
        {
            var spare = _chip.Bootloader.Spare(part);
            _chip.Bootloader.Write(spare, image);
            sound = _spec.Chip.OpenBoot || _chip.Bootloader.Check(part, spare).Refusal == BootRefusal.None;
            // A refused wish is how the refusal gets into the attestation log.
            if (!sound) _chip.RequestActivation(part, Shown(now));
        }
        Happen(sound ? MeterEventKind.FirmwareReady : MeterEventKind.FirmwareVerificationFailed, now);
        return sound;
    }

    private (CommandResult, string) Activate(in Caller caller, UnixTime now)
    {
        if (_image is not { } image || _transfer.Activate() != AccessResult.TemporaryFailure)
            return (CommandResult.Refused, $"image transfer is {_transfer.Status}");
        var answer = _chip.RequestActivation(image.Header.Part, Shown(now));
        _transfer.Activated(answer == ActivationAnswer.Accepted);
        if (answer != ActivationAnswer.Accepted) return (CommandResult.Refused, $"activation: {answer}");
        (_restart, _activating) = (BootCause.Activation, image.Header.Part);
        return (CommandResult.Done, $"activates {image}");
    }

    /// <summary>
    /// Installs an image without transfer: what a field tool or the factory's fixture does in one stroke.
    /// </summary>
    internal bool Install(FirmwareImage image, in Caller caller, UnixTime now)
    {
        if (!IsRunning) return false;
        var held = Held(CommandKind.ActivateImage, caller, now);
        var accepted = held is null && TryStage(image, now)
            && _chip.RequestActivation(image.Header.Part, Shown(now)) == ActivationAnswer.Accepted;
        Report(new CommandOutcome(Meter, Shown(now), CommandKind.ActivateImage, caller.Origin,
            accepted ? CommandResult.Done : held?.Result ?? CommandResult.Refused, _metrology.SwitchState,
            caller.Order, caller.Actor, held?.Detail ?? image.ToString()));
        if (accepted) (_restart, _activating) = (BootCause.Activation, image.Header.Part);
        return accepted;
    }

    private (CommandResult, string) Restart(UnixTime now)
    {
        Happen(MeterEventKind.CommandedReset, now);
        _restart = BootCause.Commanded;
        return (CommandResult.Done, "restart");
    }

    private BootCause _restart;

    /// <summary>Why the chip is to be reset now that the command is done; none when it is not.</summary>
    internal BootCause TakeRestart()
    {
        var cause = _restart;
        _restart = BootCause.None;
        return cause;
    }
}
