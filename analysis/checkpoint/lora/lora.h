/* LoRA adapters as PEFT saves them: a folder with adapter_config.json and adapter_model.safetensors
 * (or adapter_model.bin). The config is the file that is opened; the tensors are those of the
 * other one, under the names they have there.
 *
 * checkpoint->weights tells what they mean for the model: an update for each module with a lora_A
 * and a lora_B, under the name of the weight that it changes, and the whole tensors among them
 * (modules_to_save, trained biases), which take the place of the base's. */
#ifndef R2M_ANALYSIS_CHECKPOINT_LORA_H
#define R2M_ANALYSIS_CHECKPOINT_LORA_H

#include "analysis/checkpoint/format.h"

#define ADAPTER_CONFIG "adapter_config.json"

/* The weights beside it, the first that is there. Then NULL. */
extern const char *const adapter_file_names[];

extern const struct format lora_format;

/* For the weights of an adapter or the folder of one, its config; else NULL. free() it. */
char *lora_config_of(const char *path);

/* Fills in checkpoint->weights from its tensors; config gives ranks and scales. */
struct adapter_config;
bool lora_take_weights(struct checkpoint *checkpoint, struct adapter_config *config,
                       struct error *error);

#endif
