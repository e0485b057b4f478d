using Twin.Hardware;
using Twin.Hardware.Attestation;

namespace Twin.Grains;

/// <summary>How a step of the lineage is covered. Stored.</summary>
public enum LineageSource : byte
{
    /// <summary>There when the meter was first attested: accepted on trust.</summary>
    Baseline = 0,
    Campaign = 1,
    /// <summary>The bootloader went back to the image before.</summary>
    Rollback = 2,
    /// <summary>An authority verified it.</summary>
    Verified = 3,
    Unauthorised = 4,
}

/// <summary>A part as attested last. <paramref name="Image"/>: the first 16 bytes of its SHA-256.</summary>
public sealed record PartView(FirmwarePart Part, string Image, uint Version, int SecurityVersion, LineageSource Source);

/// <summary>A step of the lineage since the baseline; <paramref name="Campaign"/> is empty where none covers it.
/// </summary>
public sealed record LineageStepView(UnixTime At, FirmwarePart Part, string Image, uint Version, LineageSource Source,
    string Campaign);

/// <summary>What is known of the key in a slot, never the key. Counters: the highest seen, null where none was.
/// </summary>
public sealed record KeyView(KeySlot Slot, int Suite, string Fingerprint, UnixTime? Created, UnixTime? Activated,
    UnixTime? LastUse, UnixTime? Expires, UnixTime? Compromised, bool Untrusted, uint? FromMeter, uint? ToMeter);

/// <summary>A cryptographic check at the last quote, or since. Null: there was nothing to check.</summary>
public sealed record CheckView(string Check, bool? Passed);

/// <summary>A campaign that the meter is in.</summary>
public sealed record CampaignView(string Campaign, FirmwarePart Part, CampaignState State, UnixTime Since);

/// <summary>
/// The security side of a meter for people. <paramref name="BaselinedAt"/>: attested since; before that nothing is
/// known, which counts as coverage and not as a violation. <paramref name="Result"/> is null before the first quote.
/// </summary>
public sealed record SecurityView(LifeCycle Stage, LifeCycle? AttestedStage, UnixTime? BaselinedAt,
    UnixTime? LastQuote, UnixTime? LastFresh, UnixTime? LastUnverified, UnixTime? OpenChallenge, long LogEntries,
    string LogHead, PartView[] Parts, LineageStepView[] Lineage, CampaignView[] Campaigns, KeyView[] Keys,
    CheckView[] CryptographicChecks, SwitchState? Switch, UnixTime? SwitchAt, uint ReactionTable,
    uint AssignedReactionTable, int FingerprintsLearnt, AttestationResult? Result)
{
    /// <summary>True when at least one cryptographic check could be made, and every one that could passed.</summary>
    public bool EveryCheckPassed => Array.Exists(CryptographicChecks, c => c.Passed == true)
        && Array.TrueForAll(CryptographicChecks, c => c.Passed != false);
}
