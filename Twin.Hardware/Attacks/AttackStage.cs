using Twin.Hardware.Attestation;
using Twin.Hardware.Crypto;
using Twin.Hardware.Emulator.Network;
using Twin.Hardware.Emulator.Zeus;

namespace Twin.Hardware.Attacks;

/// <summary>Whose image a meter is made to run.</summary>
public enum ImageOrigin : byte
{
    /// <summary>Made by the attacker, signed with nothing that the meter trusts.</summary>
    Unsigned = 0,
    /// <summary>Made by the attacker, signed with the vendor's stolen key.</summary>
    StolenKey = 1,
    /// <summary>A release of the vendor that the utility runs nowhere any more, with a hole in it.</summary>
    OldRelease = 2,
    /// <summary>A release that the utility has registered, outside any campaign.</summary>
    NextRelease = 3,
}

/// <summary>
/// The stage of one attack: an emulated fleet, as the acts of a script see it. Meters are named by their place among
/// the customers. Acts happen at <see cref="Now"/>; what they do reaches twins as frames, or as what the utility's own
/// registry would say of it, and the ground truth never does.
/// </summary>
public sealed partial class AttackStage
{
    private readonly EmulatedFleet _fleet;
    private readonly SigningKey _attacker;
    private readonly Told _told = new();
    private readonly SortedSet<int> _concerned;

    public AttackStage(EmulatedFleet fleet, Attack attack)
    {
        _fleet = fleet;
        _attacker = new SigningKey(NistCurve.P256, fleet.Plan.Options.Seed, "attacker");
        _concerned = [.. attack.Truth.Meters];
    }

    /// <summary>Customers' meters.</summary>
    public int Meters => _fleet.Meters.Count;

    /// <summary>
    /// The instant of the act: behind what meters had to say of the interval that ended, and before the next begins.
    /// </summary>
    public UnixTime Now => _fleet.Now;

    /// <summary>A minute of a day of the run.</summary>
    public UnixTime At(int day, int minute) =>
        new(60 * (_fleet.Plan.World.LocalDay(day).StartMinute + minute));

    /// <summary>The truth of who is concerned: the attack's own, and who turned out to be on the way.</summary>
    public IReadOnlyCollection<int> Concerned => _concerned;

    /// <summary>What the utility's other systems say since last asked, in order, as the journal encodes it.</summary>
    public IReadOnlyList<byte[]> TakeTold()
    {
        byte[][] told = [.. _told];
        _told.Clear();
        return told;
    }

    private sealed class Told : List<byte[]>
    {
        public void Add(Input input) => Add(input.ToBytes());
    }

    private FleetMeter Meter(int meter) => _fleet.Meters[meter];
    private ZeusMeter Zeus(int meter) => Meter(meter).Zeus;
    private FleetModel ModelOf(int meter) => Meter(meter).Plan.Model;
    private MeterKeys KeysOf(int meter) => MeterKeys.For(_fleet.Plan.Options.Seed, Meter(meter).Id.Value, 1);

    /// <summary>Somebody at the meter brings an image and has it run.</summary>
    public void RunImage(int meter, ImageOrigin origin) => Install(meter, ImageOf(meter, origin));

    /// <summary>The image that the meter came with runs again.</summary>
    public void RestoreImage(int meter) => Install(meter, _fleet.Firmware.Application(ModelOf(meter)));

    private void Install(int meter, FirmwareImage image)
    {
        using var keys = new PortVisit(Zeus(meter), KeysOf(meter), new FieldTool("", "", ""), Now);
        keys.Session?.Install(image, Now);
    }

    private FirmwareImage ImageOf(int meter, ImageOrigin origin)
    {
        var model = ModelOf(meter);
        var made = origin switch
        {
            ImageOrigin.Unsigned => _fleet.Firmware.Build(model, "9.9.9", model.Version, 1, _attacker),
            ImageOrigin.StolenKey => _fleet.Firmware.Build(model, "9.9.8", model.Version),
            ImageOrigin.OldRelease => _fleet.Firmware.Build(model, "1.0.0", model.Version - 1_000),
            _ => _fleet.Firmware.Build(model, "next", model.Version + 100),
        };
        if (origin is ImageOrigin.OldRelease or ImageOrigin.NextRelease)
            _told.Add(FleetFirmware.ReleaseOf(made, Now));
        return made;
    }

    /// <summary>
    /// A registered release goes to meters by campaign. On hardware of <see cref="MeterBirth.HangsOnUpdate"/> it gives
    /// no sign of life, and the bootloader falls back.
    /// </summary>
    public void RollOut(IEnumerable<int> meters, FirmwareBehaviour behaviour)
    {
        foreach (var group in meters.GroupBy(ModelOf))
        {
            var image = _fleet.Firmware.Build(group.Key, group.Key.Firmware + "-r2", group.Key.Version + 100);
            _fleet.Firmware.Shelf.Add(image, behaviour);
            _fleet.Firmware.WeakShelf.Add(image, new FirmwareBehaviour { GivesNoSignOfLife = true });
            _told.Add(FleetFirmware.ReleaseOf(image, Now));
            _fleet.HeadEnd.Start(new Campaign($"{group.Key.Model} r2", image, Now,
                new UnixTime(Now.Seconds + 20 * 86_400L), group), Now);
        }
    }

    /// <summary>The vendor finds a hole: the release that the meter's model runs is withdrawn.</summary>
    public void WithdrawRelease(int meter)
    {
        var image = _fleet.Firmware.Application(ModelOf(meter));
        _told.Add(FleetFirmware.ReleaseOf(image, Now) with { Withdrawn = Now, Reason = "a hole was found" });
        foreach (var other in _fleet.Meters)
            if (other.Plan.Model == ModelOf(meter)) _concerned.Add(other.Index);
    }

    /// <summary>The vendor registers the bootloaders in the ROM of its chips, too.</summary>
    public void RegisterBootloaders()
    {
        foreach (var model in _fleet.Plan.Options.Models)
        {
            var genuine = new ChipSpec { Model = model.Model, Lot = "", Anchors = [] };
            _told.Add(new Release(genuine.RomImage, Now, FirmwarePart.Bootloader, model.Model, model.Model + " ROM",
                genuine.RomVersion, 0, default, ""));
        }
    }

    /// <summary>The application says that it was updated; nothing was.</summary>
    public void ReportFalseActivation(int meter) =>
        Zeus(meter).Application.Happen(Events.MeterEventKind.FirmwareActivated, Now);

    /// <summary>The man who has the chip out of the board copies the log's pages.</summary>
    public void SaveLog(int meter)
    {
        var log = FlashMap.CakLog;
        _savedLog = new byte[log.Count * Flash.PageBytes];
        for (var p = 0; p < log.Count; p++)
            Zeus(meter).Chip.Flash.Read(log.First + p, 0, _savedLog.AsSpan(p * Flash.PageBytes, Flash.PageBytes));
    }

    private byte[] _savedLog = [];

    /// <summary>He puts them back, with the supply off meanwhile.</summary>
    public void RestoreLog(int meter)
    {
        Zeus(meter).PowerCut(Now);
        var (flash, log) = (Zeus(meter).Chip.Flash, FlashMap.CakLog);
        for (var p = 0; p < log.Count; p++)
        {
            flash.Erase(log.First + p);
            flash.Program(log.First + p, 0, _savedLog.AsSpan(p * Flash.PageBytes, Flash.PageBytes));
        }
        Zeus(meter).PowerOn(Now);
    }

    /// <summary>From now on another key pair signs, as a second device of the same number would.</summary>
    public void AnswerWithOwnKey(int meter) =>
        Zeus(meter).Chip.Vault.TryGenerate(NistCurve.P256, Zeus(meter).Chip.Trng);

    /// <summary>Supply fails for a quarter of an hour.</summary>
    public void CutPower(int meter) => _fleet.SetPower(Meter(meter), false, Now);

    /// <summary>The supply returns.</summary>
    public void RestorePower(int meter) => _fleet.SetPower(Meter(meter), true, Now);

    /// <summary>Supply fails at the 30th byte of the next write to flash.</summary>
    public void CutPowerWhileWriting(int meter)
    {
        Zeus(meter).Chip.Flash.CutAfter(30);
        Zeus(meter).CrashApplication(Now);
        _fleet.SetPower(Meter(meter), false, Now);
    }

    /// <summary>Bits of the running application's flash turn over.</summary>
    public void DecayFlash(int meter)
    {
        var chip = Zeus(meter).Chip;
        var slot = FlashMap.Slot(chip.Flash.Pages, FirmwarePart.Application, chip.Bootloader.Active(
            FirmwarePart.Application));
        for (var i = 0; i < 2; i++) chip.Flash.Rot(slot.First + 1 + i, 100 + i, i);
    }

    /// <summary>A glitch on the reset line: the application boots, and no cause is counted.</summary>
    public void GlitchReset(int meter, int times)
    {
        var zeus = Zeus(meter);
        for (var i = 0; i < times; i++)
        {
            zeus.Application.Crash();
            zeus.Chip.Reset(zeus.Clock.Read(Now), BootCause.None);
            zeus.Application.Boot(Now);
        }
    }

    /// <summary>A visit at the optical port with a genuine key; closing it is the end of the visit.</summary>
    private sealed class PortVisit : IDisposable
    {
        private const ulong ToolTitle = 0x544F_4F4C_0000_0001;
        private readonly UnixTime _at;

        public PortVisit(ZeusMeter meter, MeterKeys keys, FieldTool tool, UnixTime at)
        {
            _at = at;
            Session = meter.OpenLocalSession(tool, PortCredential.Key(keys.Optical, ToolTitle,
                (uint)(at.Seconds & 0x7FFF_FFFF)), at);
        }

        /// <summary>Null when the meter does not let the tool in.</summary>
        public LocalSession? Session { get; }

        public void Dispose() => Session?.Close(_at);
    }
}
